//! The settings of a site, as plain forms: its goals, segments, funnels and annotations for editors; its days, its members,
//! and the links and tokens that open its reports for owners.
//! Whoever owns every site changes a site's domain, and removes it.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::{self, Serializer};

use super::annotations;
use super::ask::Asker;
use super::embed;
use super::filter::{Filter, SEGMENT};
use super::forms::{stood_here, timezones};
use super::frame::{Frame, page};
use super::funnel;
use super::live::visitors_now;
use super::refusal::{self, refuse};
use super::shell::{self, Shell};
use super::stop::{Kind, Stop};
use super::view::View;
use super::words::{Lang, Words, counted, fill};
use crate::http::Services;
use crate::http::answer::Refused;
use crate::http::links::in_a_path;
use crate::site::domain::bare_domain;
use crate::site::floor::Floor;
use crate::site::goal::GoalKind;
use crate::site::member::Role;
use crate::site::{Site, day};
use crate::store::catalog::{
    AnnotationChange, CatalogError, LinkChange, Member, NewGoal, NewToken, Scope, SegmentChange,
    SharedLink, SiteChange, Token, WhichSegment,
};

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    frame: Frame,
    shell: Shell,
    /// Why a form was not taken, and the section that it stands in.
    error: Option<(&'static str, String)>,
    /// The section whose form was just taken, and what came of it.
    done: Option<(&'static str, &'static str)>,
    tag: String,
    timezones: Vec<String>,
    is_public: bool,
    forms: Forms,
    /// What whoever may change the domain or remove the site is told of it.
    register: Option<Register>,
    /// The frame and the badge.
    snippets: [String; 2],
    badge: String,
    goals: Vec<Entry>,
    segments: Vec<Entry>,
    funnels: Vec<Entry>,
    annotations: Vec<Annotated>,
    /// Whether the rest is shown: what only owners may see and change.
    is_owner: bool,
    members: Vec<Shared>,
    /// Whether members can sign in.
    has_way_in: bool,
    roles: Vec<(&'static str, &'static str)>,
    links: Vec<Shared>,
    tokens: Vec<Shared>,
    /// A token that was just made.
    made: Option<String>,
    least_max: u32,
    back: String,
    /// The query string of the view, whose filters can be saved.
    view: String,
}

/// What another domain, and a removal, mean for a site.
struct Register {
    renaming: String,
    /// That rules of the configuration are not those of another domain, if there are any.
    lost_rules: Option<String>,
    kept_events: String,
    confirmation: String,
}

/// A goal, a segment or a funnel that there is.
struct Entry {
    id: u32,
    name: String,
    about: String,
    /// The view that shows it.
    url: Option<String>,
}

/// An annotation that there is.
struct Annotated {
    id: u32,
    /// Its day, as forms send it and in words.
    day: String,
    date: String,
    text: String,
    is_automatic: bool,
}

/// A member, a link or a token that there is.
struct Shared {
    /// What it is removed by.
    id: String,
    name: String,
    /// Its address; a token has none.
    url: String,
    about: Vec<Fact>,
    /// Whether it is the site's own: what is every site's, is changed by whoever owns every site.
    may_remove: bool,
}

/// What is said of a member, a link or a token; also with a moment in it.
struct Fact {
    before: String,
    time: Option<Moment>,
    after: &'static str,
}

/// A moment in the reader's words, and exactly.
struct Moment {
    shown: String,
    /// As pages have moments for programs: to the second.
    exact: String,
}

impl Moment {
    fn of(moment: Timestamp, shown: String) -> Self {
        Self { shown, exact: moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string() }
    }
}

impl Fact {
    fn of(text: String) -> Self {
        Self { before: text, time: None, after: "" }
    }

    /// A sentence with a moment in its gap.
    fn at(sentence: &'static str, time: Moment) -> Self {
        let (before, after) = sentence.split_once("{}").unwrap_or((sentence, ""));
        Self { before: before.to_owned(), time: Some(time), after }
    }
}

/// What a form sends: what is to be done, and the fields of that.
#[derive(Clone, Deserialize, Default)]
#[serde(default)]
pub(super) struct Change {
    action: String,
    id: u32,
    domain: String,
    timezone: String,
    retention_days: String,
    public: String,
    kind: String,
    target: String,
    scroll: String,
    name: String,
    day: String,
    text: String,
    currency: String,
    view: String,
    password: String,
    expires: String,
    segment: u32,
    least: String,
    token: String,
    person: String,
    role: String,
    every_site: String,
}

impl Change {
    /// Whether whoever asks may do this: what is not an editor's is an owner's, and the register of sites is of
    /// those who own every site.
    fn is_allowed(&self, asker: &Asker) -> bool {
        match self.action.as_str() {
            "goal" | "remove-goal" | "segment" | "remove-segment" | "funnel" | "remove-funnel"
            | "annotation" | "remove-annotation" => asker.may(Role::Editor),
            "domain" | "remove-site" => asker.owns_every_site,
            _ => asker.may(Role::Owner),
        }
    }

    /// The section of the page in which the form stands, as the page's fragment; empty where there is none.
    fn section(&self) -> &'static str {
        match self.action.as_str() {
            "site" => "site",
            "goal" | "remove-goal" => "goals",
            "segment" | "remove-segment" => "segments",
            "funnel" | "remove-funnel" => "funnels",
            "annotation" | "remove-annotation" => "annotations",
            "member" | "remove-member" => "members",
            "link" | "remove-link" => "links",
            "token" | "revoke-token" => "tokens",
            "domain" => "domain",
            "remove-site" => "remove",
            _ => "",
        }
    }
}

impl SettingsPage {
    /// Why the form of a section was not taken, if it was not.
    fn error_in(&self, section: &str) -> Option<&str> {
        let (_, error) = self.error.as_ref().filter(|(erred, _)| *erred == section)?;
        Some(error)
    }

    /// That the form of a section was taken, if it just was.
    fn done_in(&self, section: &str) -> Option<&'static str> {
        self.done.filter(|(done, _)| *done == section).map(|(_, said)| said)
    }
}

/// The sections that have forms, as the page's fragments.
const SECTIONS: [&str; 9] =
    ["site", "goals", "segments", "funnels", "annotations", "members", "links", "tokens", "domain"];

/// What is said once of a form that was taken. It stands in the address that the form leads to, and in no link from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Saved,
    Removed,
}

impl Told {
    const ALL: [Self; 2] = [Self::Saved, Self::Removed];

    /// What a form tells by what it does.
    fn of(action: &str) -> Self {
        let is_end = action.starts_with("remove-") || action.starts_with("revoke-");
        if is_end { Self::Removed } else { Self::Saved }
    }

    /// Its name in the address.
    fn name(self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::Removed => "removed",
        }
    }

    fn words(self, words: &Words) -> &'static str {
        match self {
            Self::Saved => words.is_saved,
            Self::Removed => words.is_removed,
        }
    }

    /// A query string that tells it of a section.
    fn after(self, query: &str, section: &str) -> String {
        if section.is_empty() {
            return query.to_owned();
        }
        let mut query = Serializer::for_suffix(query.to_owned(), 1);
        query.append_pair(self.name(), section).finish()
    }

    /// The section of which a query string tells something, and what.
    fn read(query: &str) -> Option<(&'static str, Self)> {
        form_urlencoded::parse(query.as_bytes()).find_map(|(key, value)| {
            let told = Self::ALL.into_iter().find(|told| told.name() == key)?;
            Some((SECTIONS.into_iter().find(|section| *section == value)?, told))
        })
    }
}

/// What is in the fields of the forms: what there is, or is usual, and in the form that was wrong what was typed.
struct Forms {
    site: Change,
    goal: Change,
    segment: Change,
    annotation: Change,
    member: Change,
    link: Change,
    token: Change,
    domain: Change,
}

impl Forms {
    fn of(site: &Site, today: Date) -> Self {
        let least = |least: u32| Change { least: least.to_string(), ..Change::default() };
        Self {
            site: Change {
                timezone: site.timezone_name().to_owned(),
                retention_days: site
                    .retention_days
                    .map_or_else(String::new, |days| days.to_string()),
                public: if site.public { "yes".to_owned() } else { String::new() },
                ..least(site.least_visitors)
            },
            goal: Change::default(),
            segment: Change::default(),
            annotation: Change { day: today.to_string(), ..Change::default() },
            member: Change::default(),
            link: least(Floor::OF_A_LINK),
            token: least(1),
            domain: Change { domain: site.domain.clone(), ..Change::default() },
        }
    }

    /// With what was typed, in the form that it was typed into. A password is typed again.
    fn with(mut self, sent: Change) -> Self {
        let form = match sent.action.as_str() {
            "site" => &mut self.site,
            "goal" => &mut self.goal,
            "segment" => &mut self.segment,
            "annotation" if sent.id == 0 => &mut self.annotation,
            "member" => &mut self.member,
            "link" => &mut self.link,
            "token" => &mut self.token,
            "domain" => &mut self.domain,
            _ => return self,
        };
        *form = Change { password: String::new(), ..sent };
        self
    }
}

pub(super) async fn show(asker: Asker, RawQuery(query): RawQuery) -> Response {
    if !asker.may(Role::Editor) {
        return asker.refuse_reader();
    }
    let told = Told::read(query.as_deref().unwrap_or_default());
    settings(&asker, StatusCode::OK, Outcome { told, ..Outcome::default() }).await
}

pub(super) async fn change(
    asker: Asker,
    State(services): State<Services>,
    headers: HeaderMap,
    Form(form): Form<Change>,
) -> Response {
    if !form.is_allowed(&asker) {
        return refuse(asker.lang, StatusCode::NOT_FOUND, refusal::NOT_FOUND);
    }
    if !stood_here(&headers, services.public_url.as_deref()) {
        return refuse(asker.lang, StatusCode::FORBIDDEN, refusal::FOREIGN_FORM);
    }
    let kind = Told::of(&form.action);
    let told = kind.after(&asker.view.url(), form.section());
    let done = done(&asker, &services, form.clone()).await;
    if kind == Told::Removed {
        services.forget_uses().await;
    }
    match done {
        // A token is shown here: it is nowhere else, and in no address.
        Ok(Done::Made(made)) => {
            settings(&asker, StatusCode::OK, Outcome { made: Some(made), ..Outcome::default() })
                .await
        }
        Ok(Done::Changed) => to_settings(&asker.site, &told),
        Ok(Done::SavedFunnel(view)) => {
            Redirect::to(&format!("{}/funnel{}", asker.home(), view.url())).into_response()
        }
        Ok(Done::Renamed(site)) => to_settings(&site, &told),
        Ok(Done::Removed) => Redirect::to(&format!("/{}", asker.view.kept())).into_response(),
        Err(untaken) => {
            let (status, wrong) = match untaken {
                Untaken::Wrong(error) => {
                    let wrong = asker.lang.trouble(&error);
                    (Refused::from(error).status(), wrong)
                }
                Untaken::NotConfirmed => {
                    let wrong = fill(asker.words().not_confirmed, &[&asker.site.domain]);
                    (StatusCode::BAD_REQUEST, wrong)
                }
                Untaken::ScrollOfEvent => {
                    (StatusCode::BAD_REQUEST, asker.words().scroll_of_event.to_owned())
                }
            };
            // The page is there, also when what its form names is not.
            let is_missing = status == StatusCode::NOT_FOUND;
            let status = if is_missing { StatusCode::BAD_REQUEST } else { status };
            let error = Some((form.section(), wrong));
            let outcome = Outcome { error, sent: Some(form), ..Outcome::default() };
            settings(&asker, status, outcome).await
        }
    }
}

/// Leads to the settings of a site, with a query string.
pub(super) fn to_settings(site: &Site, query: &str) -> Response {
    Redirect::to(&format!("/{}/settings{query}", in_a_path(&site.domain))).into_response()
}

/// What a form did.
enum Done {
    Changed,
    /// It made this token.
    Made(String),
    /// A funnel has a name now, and this view shows it.
    SavedFunnel(Box<View>),
    /// The site has another domain now.
    Renamed(Arc<Site>),
    Removed,
}

/// What came of a form, besides the change itself.
#[derive(Default)]
struct Outcome {
    /// Why a form was not taken, and the section that it stands in.
    error: Option<(&'static str, String)>,
    /// The form that was wrong.
    sent: Option<Change>,
    made: Option<String>,
    /// What the form did that led here, and its section.
    told: Option<(&'static str, Told)>,
}

/// Why a form was not taken.
#[derive(Debug)]
enum Untaken {
    Wrong(CatalogError),
    /// A goal is of an event, and yet of how far something is scrolled.
    ScrollOfEvent,
    /// What was typed is not the domain of the site that was to be removed.
    NotConfirmed,
}

impl From<CatalogError> for Untaken {
    fn from(error: CatalogError) -> Self {
        Self::Wrong(error)
    }
}

/// Does what a form says.
async fn done(asker: &Asker, services: &Services, form: Change) -> Result<Done, Untaken> {
    let (catalog, store, now) = (&services.catalog, &services.store, asker.now);
    let domain = &asker.site.domain;
    let done = match form.action.as_str() {
        "link" => {
            let (name, wanted) = (form.name.trim().to_owned(), link(asker, form)?);
            // The form is empty: what it does not say would be taken off a link that there is.
            if catalog.shared_links(asker.site.id).iter().any(|link| link.name == name) {
                return Err(CatalogError::LinkNameTaken(name).into());
            }
            catalog.put_shared_link(store, domain, &name, wanted, now).await.map(drop)
        }
        "remove-link" => catalog.remove_shared_link(store, domain, &form.name, now).await,
        "token" => {
            let new = NewToken {
                scope: Scope::Stats,
                sites: vec![domain.clone()],
                note: form.name.trim().to_owned(),
                least_visitors: Some(least(&form.least)?),
                expires_at: end_of(asker, &form.expires)?,
            };
            return Ok(Done::Made(catalog.create_token(store, new, now).await?));
        }
        "revoke-token" => match catalog.tokens().iter().find(|token| token.id == form.token) {
            Some(token) if may_revoke(asker, token) => {
                catalog.revoke_token(store, &form.token, now).await
            }
            _ => Err(CatalogError::UnknownToken(form.token)),
        },
        "member" => {
            let role = Role::named(&form.role).ok_or(CatalogError::Role(form.role))?;
            catalog.put_member(store, &form.person, Some(domain), role, now).await.map(drop)
        }
        "remove-member" if form.every_site.is_empty() => {
            catalog.remove_member(store, &form.person, Some(domain), now).await
        }
        "remove-member" if asker.owns_every_site => {
            catalog.remove_member(store, &form.person, None, now).await
        }
        "remove-member" => Err(CatalogError::UnknownMember(form.person)),
        "goal" => catalog.put_goal(store, domain, goal(form)?, now).await.map(drop),
        "remove-goal" => catalog.remove_goal(store, form.id, Some(domain), now).await,
        "segment" => {
            let filters = Some(View::read(&form.view).filters(asker.lang).into());
            let segment = SegmentChange { name: Some(form.name), filters };
            catalog.put_segment(store, domain, WhichSegment::New, segment, now).await.map(drop)
        }
        "funnel" => {
            let view = View::read(&form.view);
            let steps = view.stops.iter().map(Stop::to_query).collect();
            catalog.put_funnel(store, domain, &form.name, steps, now).await?;
            return Ok(Done::SavedFunnel(Box::new(view)));
        }
        "annotation" => {
            let (date, text) = (Some(form.day), Some(form.text));
            let id = (form.id != 0).then_some(form.id);
            let wanted = AnnotationChange { date, text };
            catalog.put_annotation(store, domain, id, wanted, now).await.map(drop)
        }
        "remove-annotation" => catalog.remove_annotation(store, domain, form.id, now).await,
        "remove-funnel" => catalog.remove_funnel(store, domain, form.id, now).await,
        "remove-segment" => catalog.remove_segment(store, domain, form.id, now).await,
        "domain" => {
            let wanted = SiteChange { domain: Some(form.domain), ..SiteChange::default() };
            return Ok(Done::Renamed(catalog.put_site(store, domain, wanted, now).await?));
        }
        "remove-site" if bare_domain(&form.domain) == *domain => {
            catalog.remove_site(store, domain, now).await?;
            return Ok(Done::Removed);
        }
        "remove-site" => {
            return Err(Untaken::NotConfirmed);
        }
        // Whatever else is sent is the form of the site itself: its fields are all there, or wrong.
        _ => catalog.put_site(store, domain, site(form)?, now).await.map(drop),
    };
    done?;
    Ok(Done::Changed)
}

/// What a new link shall be.
fn link(asker: &Asker, form: Change) -> Result<LinkChange, CatalogError> {
    Ok(LinkChange {
        password: Some(form.password).filter(|password| !password.is_empty()),
        segment: Some(form.segment),
        least_visitors: Some(least(&form.least)?),
        expires_at: Some(end_of(asker, &form.expires)?),
    })
}

/// What is no number is none that there can be.
fn least(text: &str) -> Result<u32, CatalogError> {
    text.trim().parse().map_err(|_| CatalogError::LeastVisitors(0))
}

/// The end of a day of the site, which forms send as its date.
fn end_of(asker: &Asker, day: &str) -> Result<Option<Timestamp>, CatalogError> {
    if day.trim().is_empty() {
        return Ok(None);
    }
    let date = day.trim().parse::<Date>().ok();
    let end = date.and_then(|date| day::end_of(date, &asker.site.timezone));
    end.map(Some).ok_or_else(|| CatalogError::Day(day.to_owned()))
}

fn site(form: Change) -> Result<SiteChange, CatalogError> {
    let days = form.retention_days.trim();
    // What is no number is more than there can be.
    let days = if days.is_empty() { 0 } else { days.parse().unwrap_or(u32::MAX) };
    Ok(SiteChange {
        domain: None,
        timezone: Some(form.timezone.trim().to_owned()),
        retention_days: Some(days),
        public: Some(!form.public.is_empty()),
        least_visitors: Some(least(&form.least)?),
    })
}

fn goal(form: Change) -> Result<NewGoal, Untaken> {
    let given = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let target = form.target.trim().to_owned();
    let kind = match (form.kind.as_str(), given(form.scroll)) {
        ("page", None) => GoalKind::Page(target),
        ("page", Some(threshold)) => {
            let percent =
                threshold.parse().map_err(|_| CatalogError::ScrollThreshold(threshold))?;
            GoalKind::Scroll(target, percent)
        }
        (_, None) => GoalKind::Event(target),
        (_, Some(_)) => return Err(Untaken::ScrollOfEvent),
    };
    Ok(NewGoal { kind, display_name: given(form.name), currency: given(form.currency) })
}

async fn settings(asker: &Asker, status: StatusCode, outcome: Outcome) -> Response {
    let Outcome { error, sent, made, told } = outcome;
    let now = match visitors_now(asker).await {
        Ok(now) => now,
        // What was typed, and why it was not saved, or a token that is shown once, is worth more than the number in the bar.
        Err(_) if sent.is_some() || made.is_some() => 0,
        Err(error) => return asker.refuse(&error),
    };
    let site = &asker.site;
    let forms = Forms::of(site, asker.local_now().date());
    let goals = asker.services.catalog.goals(site.id).into_iter().map(|saved| Entry {
        id: saved.id,
        about: match &saved.goal.kind {
            GoalKind::Event(name) => name.clone(),
            GoalKind::Page(path) => path.clone(),
            GoalKind::Scroll(path, percent) => format!("{path}, {percent}%"),
        } + &saved.goal.currency.map(|code| format!(", {code}")).unwrap_or_default(),
        name: saved.goal.name,
        url: None,
    });
    let segments = site.segments.iter().map(|segment| Entry {
        id: segment.id,
        name: segment.name.clone(),
        about: join(segment.filters.iter().map(|filter| shell::in_words(asker, filter)), " · "),
        url: Some({
            let filter = Filter::is(SEGMENT, &segment.id.to_string());
            asker.home() + &asker.view.without_filters().with_filter(filter).url()
        }),
    });
    let funnels = site.funnels.iter().map(|funnel| Entry {
        id: funnel.id,
        name: funnel.name.clone(),
        about: join(funnel.steps.iter().map(|step| stop_in_words(asker, step)), " → "),
        url: funnel::saved(asker, funnel)
            .map(|link| format!("{}/funnel{}", asker.home(), link.url)),
    });
    let model = SettingsPage {
        frame: asker.frame(),
        shell: Shell { is_timed: false, ..Shell::of(asker, now) },
        error,
        done: told.map(|(section, told)| (section, told.words(asker.words()))),
        tag: asker.tag(),
        timezones: timezones(),
        register: asker.owns_every_site.then(|| register(asker)),
        is_public: site.public,
        forms: match sent {
            Some(sent) => forms.with(sent),
            None => forms,
        },
        snippets: embed::snippets(asker),
        badge: asker.home() + "/badge.svg",
        goals: goals.collect(),
        segments: segments.collect(),
        funnels: funnels.collect(),
        annotations: annotated(asker),
        is_owner: asker.may(Role::Owner),
        members: members(asker),
        has_way_in: asker.services.sign_in.is_set_up(),
        roles: Role::ALL.map(|role| (role.name(), role_words(asker, role))).into(),
        links: links(asker),
        tokens: tokens(asker),
        made,
        least_max: Floor::MAX,
        back: fill(asker.words().back, &[&site.domain]),
        view: asker.view.url().trim_start_matches('?').to_owned(),
    };
    page(status, &model)
}

fn join(texts: impl Iterator<Item = String>, between: &str) -> String {
    texts.collect::<Vec<_>>().join(between)
}

/// A step of a funnel: the path of a page says itself that it is one.
fn stop_in_words(asker: &Asker, step: &Value) -> String {
    match Stop::of_answer(step) {
        Some(Stop { kind: Kind::Page, value }) => value,
        Some(Stop { kind, value }) => format!("{} {value}", kind.label(asker.words())),
        None => step.to_string(),
    }
}

fn register(asker: &Asker) -> Register {
    let (site, words) = (&asker.site, asker.words());
    let domain = site.domain.as_str();
    let has_own_rules = site.policy != asker.services.catalog.policy(None);
    Register {
        renaming: fill(words.renaming, &[domain]),
        lost_rules: has_own_rules.then(|| fill(words.lost_rules, &[domain])),
        kept_events: match site.retention_days {
            Some(days) => {
                let sentence =
                    counted(days.into(), words.events_stay_a_day, words.events_stay_days);
                fill(sentence, &[&days.to_string()])
            }
            None => words.events_stay.to_owned(),
        },
        confirmation: fill(words.confirm_domain, &[domain]),
    }
}

/// The annotations, the latest first.
fn annotated(asker: &Asker) -> Vec<Annotated> {
    let annotations = asker.site.annotations.iter().rev().map(|annotation| Annotated {
        id: annotation.id,
        day: annotation.day.to_string(),
        date: asker.lang.day(annotation.day),
        text: annotations::text(annotation, asker.lang),
        is_automatic: annotation.kind.is_automatic(),
    });
    annotations.collect()
}

fn links(asker: &Asker) -> Vec<Shared> {
    let words = asker.words();
    let link = |link: SharedLink| {
        let segment = link.segment.map(|id| {
            let segment = asker.site.segments.iter().find(|segment| segment.id == id);
            let name = segment.map_or_else(|| id.to_string(), |segment| segment.name.clone());
            fill(words.of_segment, &[&name])
        });
        let password = link.password.is_some().then(|| words.of_password.to_owned());
        let used = asker.services.access_log.link_used(link.id);
        let origin = &asker.origin;
        let domain = in_a_path(&asker.site.domain);
        Shared {
            about: segment
                .into_iter()
                .chain(password)
                .map(Fact::of)
                .chain(common(asker, link.least_visitors, link.expires_at, used))
                .collect(),
            url: format!("{origin}/share/{domain}?auth={}", link.slug),
            id: link.name.clone(),
            name: link.name,
            may_remove: true,
        }
    };
    asker.services.catalog.shared_links(asker.site.id).into_iter().map(link).collect()
}

fn role_words(asker: &Asker, role: Role) -> &'static str {
    let words = asker.words();
    match role {
        Role::Viewer => words.role_viewer,
        Role::Editor => words.role_editor,
        Role::Owner => words.role_owner,
    }
}

/// Who is a member of this site, or of every site.
fn members(asker: &Asker) -> Vec<Shared> {
    let member = |member: Member| {
        let every = member.site.is_none().then(|| asker.words().of_every_site.to_owned());
        Shared {
            may_remove: every.is_none() || asker.owns_every_site,
            about: [role_words(asker, member.role).to_owned()]
                .into_iter()
                .chain(every)
                .map(Fact::of)
                .collect(),
            url: String::new(),
            id: member.site.map_or("yes", |_| "").to_owned(),
            name: member.person.name().to_owned(),
        }
    };
    asker.services.catalog.members(Some(asker.site.id)).into_iter().map(member).collect()
}

/// Whether a token is of this site alone, or whoever asks owns every site.
fn may_revoke(asker: &Asker, token: &Token) -> bool {
    asker.owns_every_site || token.sites == [asker.site.id]
}

/// The tokens that open this site's reports.
fn tokens(asker: &Asker) -> Vec<Shared> {
    let words = asker.words();
    let opens = |token: &Token| token.sites.is_empty() || token.sites.contains(&asker.site.id);
    let token = |token: Token| {
        let scope = (token.scope == Scope::Admin).then(|| words.of_admin.to_owned());
        let every = token.sites.is_empty().then(|| words.of_every_site.to_owned());
        let used = asker.services.access_log.token_used(&token.id);
        Shared {
            may_remove: may_revoke(asker, &token),
            about: scope
                .into_iter()
                .chain(every)
                .map(Fact::of)
                .chain(common(asker, token.least_visitors, token.expires_at, used))
                .collect(),
            url: String::new(),
            name: if token.note.is_empty() { token.id.clone() } else { token.note },
            id: token.id,
        }
    };
    asker.services.catalog.tokens().into_iter().filter(opens).map(token).collect()
}

/// What links and tokens have in common: what they tell, when they end, when they were used.
fn common(
    asker: &Asker,
    least: u32,
    end: Option<Timestamp>,
    used: Option<Timestamp>,
) -> impl Iterator<Item = Fact> {
    let (words, zone) = (asker.words(), &asker.site.timezone);
    let tells = match least {
        0 | 1 => words.tells_all.to_owned(),
        least => fill(words.tells_from, &[&least.to_string()]),
    };
    let ends = end.map(|end| {
        let shown = end_in_words(asker.lang, zone.to_datetime(end));
        Fact::at(words.ends_at, Moment::of(end, shown))
    });
    let used = match used {
        Some(used) => {
            let shown = asker.lang.moment(zone.to_datetime(used));
            Fact::at(words.used_at, Moment::of(used, shown))
        }
        None => Fact::of(words.never_used.to_owned()),
    };
    [Some(Fact::of(tells)), ends, Some(used)].into_iter().flatten()
}

/// Until when something holds: the day that a form asks for as the last one, or a moment of another day.
fn end_in_words(lang: Lang, local: DateTime) -> String {
    match local.time() {
        time if time == Time::midnight() => lang.day(local.date().saturating_sub(1.day())),
        _ => lang.moment(local),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::site::SiteId;

    #[test]
    fn what_was_typed_stands_in_its_form_again_but_for_a_password() {
        let site = Site::new(SiteId(1), "a.test", TimeZone::UTC);
        let forms = || Forms::of(&site, Date::constant(2026, 11, 27));
        let sent = |action: &str| Change {
            action: action.to_owned(),
            name: "typed".to_owned(),
            password: "secret".to_owned(),
            ..Change::default()
        };
        let link = forms().with(sent("link"));
        assert_eq!((link.link.name.as_str(), link.link.password.as_str()), ("typed", ""));
        assert_eq!((link.goal.name.as_str(), link.site.timezone.as_str()), ("", "UTC"));
        // The form of an annotation that there is, is another.
        let other = forms().with(Change { id: 7, ..sent("annotation") });
        assert_eq!(
            (other.annotation.name.as_str(), other.annotation.day.as_str()),
            ("", "2026-11-27")
        );
    }

    #[test]
    fn what_a_form_did_stands_in_one_address_and_in_no_link_from_there() {
        let told = Told::of("remove-goal").after("?period=7d", "goals");
        assert_eq!(told, "?period=7d&removed=goals");
        assert_eq!(Told::read(&told[1..]), Some(("goals", Told::Removed)));
        assert_eq!(View::read(&told[1..]).url(), "?period=7d");
        assert_eq!(Told::of("site").after("?", "site"), "?saved=site");
        assert_eq!(Told::of("").after("?", ""), "?");
        for query in ["", "saved=", "saved=everything", "kept=goals"] {
            assert_eq!(Told::read(query), None, "{query}");
        }
    }

    #[test]
    fn every_section_is_told_of() {
        for action in
            ["site", "goal", "segment", "funnel", "annotation", "member", "link", "token", "domain"]
        {
            let form = Change { action: action.to_owned(), ..Change::default() };
            assert!(SECTIONS.contains(&form.section()), "{action}");
        }
        let page = include_str!("templates/settings.html");
        for section in SECTIONS {
            let tells = format!("{{% let section = \"{section}\" %}}");
            assert!(page.contains(&tells), "{section}");
        }
    }

    #[test]
    fn an_end_is_the_day_that_the_form_asked_for_or_a_moment() {
        let end = |local: DateTime| Lang::ALL.map(|lang| end_in_words(lang, local));
        let day = Date::constant(2026, 12, 1);
        let midnight = day.to_datetime(Time::midnight());
        assert_eq!(end(midnight), ["30 November 2026", "30. November 2026"]);
        let moment = end(day.at(13, 5, 59, 0));
        assert_eq!(moment, ["1 December 2026, 13:05", "1. Dezember 2026, 13:05"]);
    }

    #[test]
    fn a_fact_says_its_moment_where_the_sentence_has_its_gap() {
        let shown = "24 November 2026".to_owned();
        let moment = Timestamp::constant(1_795_525_505, 123_456_789);
        let fact = Fact::at("seen {} here", Moment::of(moment, shown));
        assert_eq!((fact.before.as_str(), fact.after), ("seen ", " here"));
        assert_eq!(fact.time.unwrap().exact, "2026-11-24T13:05:05Z");
        assert!(Fact::of("never".to_owned()).time.is_none());
    }

    #[test]
    fn a_goal_is_of_an_event_a_page_or_a_depth() {
        let kind = |kind: &str, scroll: &str| {
            let text = |text: &str| text.to_owned();
            let form = Change {
                kind: text(kind),
                target: text("/a"),
                scroll: text(scroll),
                ..Change::default()
            };
            goal(form).map(|goal| goal.kind)
        };
        assert_eq!(kind("event", "").unwrap(), GoalKind::Event("/a".into()));
        assert_eq!(kind("page", "").unwrap(), GoalKind::Page("/a".into()));
        assert_eq!(kind("page", "75").unwrap(), GoalKind::Scroll("/a".into(), 75));
        assert!(kind("page", "most").is_err());
        assert!(matches!(kind("event", "50"), Err(Untaken::ScrollOfEvent)));
    }
}
