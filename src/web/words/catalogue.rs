//! Every sentence of the pages, in each language, beside each other.
//!
//! What stands in a gap `{}` is put there by [`super::fill`]; pages escape it.

macro_rules! words {
    ($($name:ident: $english:literal, $german:literal;)*) => {
        /// The words of one language.
        pub(in crate::web) struct Words { $(pub(in crate::web) $name: &'static str,)* }

        pub(super) const ENGLISH: Words = Words { $($name: $english,)* };
        pub(super) const GERMAN: Words = Words { $($name: $german,)* };

        /// Each word by its name, in English and in German.
        #[cfg(test)]
        const PAIRS: &[(&str, &str, &str)] = &[$((stringify!($name), $english, $german)),*];
    };
}

words! {
    // Every page
    skip: "Skip to the numbers", "Zu den Zahlen springen";
    sites: "Sites", "Websites";
    all_sites: "All sites", "Alle Websites";
    promise: "Counted by Passerby: no cookies, no addresses kept.",
        "Gezählt von Passerby: ohne Cookies, ohne gespeicherte Adressen.";
    sign_in: "Sign in", "Anmelden";
    sign_out: "Sign out", "Abmelden";
    language: "Language", "Sprache";
    keys_on: "Keyboard shortcuts {}: switch off", "Tastenkürzel {}: ausschalten";
    keys_off: "Keyboard shortcuts: switch on", "Tastenkürzel: einschalten";

    // Signing in
    not_public: "These reports are not public. Whoever runs this collector can give you a token.",
        "Diese Auswertungen sind nicht öffentlich. Wer diese Installation betreibt, kann Ihnen ein Token geben.";
    token: "Token", "Token";
    token_stays: "The token stays in this browser, in a cookie that only this dashboard reads.",
        "Das Token bleibt in diesem Browser, in einem Cookie, das nur diese Seiten lesen.";
    wrong_token: "That token opens nothing here. Copy it whole, or make a new one.",
        "Dieses Token öffnet hier nichts. Kopieren Sie es vollständig, oder erzeugen Sie ein neues.";
    for_members: "These reports are not public: they are for members.",
        "Diese Auswertungen sind nicht öffentlich: Sie sind für Mitglieder.";
    sign_in_with: "Sign in with {}", "Mit {} anmelden";
    or_by_token: "Or with a token, which whoever runs this collector can give you:",
        "Oder mit einem Token, das Ihnen geben kann, wer diese Installation betreibt:";
    signed_in: "You are signed in", "Sie sind angemeldet";
    go_on: "Go on", "Weiter";
    first_token: "No site is set up here yet. Whoever runs this collector makes a token where it runs, and adds the first site with it:",
        "Hier ist noch keine Website eingerichtet. Wer diese Installation betreibt, erzeugt dort, wo sie läuft, ein Token und fügt damit die erste hinzu:";

    // The overview
    last_30_days: "The last 30 days", "Die letzten 30 Tage";
    with_30_before: "compared with the 30 before", "verglichen mit den 30 davor";
    no_site: "No site is registered yet", "Noch ist keine Website angemeldet";
    register_first: "Register the first one where the collector runs:",
        "Melden Sie die erste dort an, wo Passerby läuft:";
    add_first: "Add the first one. The tag for its pages comes next.",
        "Fügen Sie die erste hinzu. Danach kommt das Tag für ihre Seiten.";
    add_site: "Add site", "Website hinzufügen";
    domain: "Domain: the host name of the site's pages, such as example.com",
        "Domain: der Hostname der Seiten, etwa example.com";
    not_at_hand: "The numbers are not at hand right now.", "Die Zahlen sind gerade nicht verfügbar.";
    visitor: "visitor", "Besucher";
    visitors: "visitors", "Besucher";

    // Periods
    period: "Period", "Zeitraum";
    today: "Today", "Heute";
    yesterday: "Yesterday", "Gestern";
    last_month: "Last month", "Letzter Monat";
    earlier: "Earlier: {}", "Davor: {}";
    later: "Later: {}", "Danach: {}";
    hours_24: "Last 24 hours", "Letzte 24 Stunden";
    days_7: "Last 7 days", "Letzte 7 Tage";
    days_30: "Last 30 days", "Letzte 30 Tage";
    days_91: "Last 91 days", "Letzte 91 Tage";
    this_month: "This month", "Dieser Monat";
    this_year: "This year", "Dieses Jahr";
    months_6: "Last 6 months", "Letzte 6 Monate";
    months_12: "Last 12 months", "Letzte 12 Monate";
    all_time: "All time", "Gesamter Zeitraum";
    from: "From", "Von";
    to: "To", "Bis";
    show_dates: "Show these days", "Diese Tage zeigen";

    // Comparisons
    comparison: "Comparison", "Vergleich";
    with_before: "vs. period before", "ggü. Vorzeitraum";
    with_year_before: "vs. year before", "ggü. Vorjahr";
    with_days: "vs. {}", "ggü. {}";
    first_day: "First day", "Erster Tag";
    last_day_of: "Last day", "Letzter Tag";
    compare_days: "Compare with these days", "Mit diesen Tagen vergleichen";
    with_nothing: "No comparison", "Ohne Vergleich";
    before: "Period before", "Vorzeitraum";
    year_before: "Year before", "Vorjahr";
    changed: "Change", "Ände\u{ad}rung";
    no_change: "no change", "unverändert";
    points: "pts", "Pkt.";
    cut: "Dashed: the period has only a part of it.", "Gestrichelt: Der Zeitraum hat davon nur einen Teil.";
    unfinished: "The period is not over yet: the figures are compared with as much of the other one, which the chart shows as a whole.",
        "Der Zeitraum läuft noch: Die Kennzahlen werden mit ebenso viel vom anderen verglichen, den das Diagramm ganz zeigt.";
    unfinished_whole: "The period is not over yet; it is compared with a whole one.",
        "Der Zeitraum läuft noch; verglichen wird mit einem ganzen.";

    // Filters
    lost_filter: "A filter of this link can not be understood and was left out: these are the numbers without it.",
        "Ein Filter dieses Links ist nicht zu verstehen und wurde weggelassen: Das sind die Zahlen ohne ihn.";
    no_filters_here: "The filters of this link were left out: these are the numbers of the whole.",
        "Die Filter dieses Links wurden weggelassen: Das sind die Zahlen des Ganzen.";
    no_such_goal: "This site has no goal {}. Choose one below.", "Diese Website hat kein Ziel {}. Wählen Sie unten eines.";
    goals_are_met: "Who did not meet a goal can not be asked for.", "Wer ein Ziel nicht erreicht hat, kann nicht gefragt werden.";
    too_many_filters: "A view has {} filters at most. Remove one first.", "Eine Ansicht hat höchstens {} Filter. Entfernen Sie zuerst einen.";
    too_many_values: "A filter has {} values at most. Remove one first.", "Ein Filter hat höchstens {} Werte. Entfernen Sie zuerst einen.";
    wrong_filter: "There is no such filter.", "Einen solchen Filter gibt es nicht.";
    add_goal_filter: "Filter by this goal", "Nach diesem Ziel filtern";
    nothing_filtered: "Nothing in this period matches these filters. Values are compared to the letter; try:",
        "Nichts in diesem Zeitraum passt zu diesen Filtern. Werte werden buchstabengenau verglichen; versuchen Sie:";
    without_filter: "Without “{}”", "Ohne „{}“";
    filter: "Filter", "Filter";
    filters: "Filters", "Filter";
    add_filter: "Add filter", "Filter hinzufügen";
    segment: "Segment", "Segment";
    segments: "Segments", "Segmente";
    filter_by: "Filter by", "Filtern nach";
    relation: "Relation", "Bedingung";
    value: "Value", "Wert";
    or: "or", "oder";
    several_values: "Several values", "Mehrere Werte";
    or_value: "Add to “{}”", "Zu „{}“ hinzufügen";
    add: "Add", "Hinzufügen";
    remove_value: "Take {} out of the filter {}", "{} aus dem Filter {} entfernen";
    is: "is", "ist";
    is_not: "is not", "ist nicht";
    contains: "contains", "enthält";
    contains_not: "does not contain", "enthält nicht";
    turn: "Turn this filter round", "Diesen Filter umkehren";
    remove_filter: "Remove the filter {}", "Den Filter {} entfernen";
    remove_all: "Remove all", "Alle entfernen";

    // The site's page
    headlines: "Headline figures", "Kennzahlen";
    over_time: "{} over time", "{} im Zeitverlauf";
    interval: "Interval", "Intervall";
    by_hour: "Hours", "Stunden";
    by_day: "Days", "Tage";
    by_week: "Weeks", "Wochen";
    by_month: "Months", "Monate";
    by_15_minutes: "15 minutes", "15 Minuten";
    by_quarter: "Quarters", "Quartale";
    by_year: "Years", "Jahre";
    as_table: "As a table", "Als Tabelle";
    time: "Time", "Zeit";
    days_of: "Days are those of {}", "Tage nach der Uhr von {}";
    why: "Why this number?", "Warum diese Zahl?";
    why_of: "{}: why this number?", "{}: warum diese Zahl?";
    details: "Details", "Details";
    details_of: "{}: details", "{}: Details";
    name: "Name", "Name";
    nothing: "Nothing in this period.", "Nichts in diesem Zeitraum.";
    no_referrer: "No referrer", "Ohne Verweis";
    grown_from_nothing: "new", "neu";
    none: "(none)", "(ohne)";
    no_visits: "No visits in this period", "In diesem Zeitraum keine Besuche";
    no_visits_yet: "No visits in this period yet", "In diesem Zeitraum noch keine Besuche";
    put_tag: "Put this tag into every page of {}; the first visit is here a moment later.",
        "Setzen Sie diesen Code in jede Seite von {}; der erste Besuch ist einen Augenblick später hier.";
    visits_today: "The first ones have come today, and this period ended yesterday.",
        "Die ersten sind heute gekommen, und dieser Zeitraum endete gestern.";
    see_today: "See today", "Heute ansehen";
    first_visit_later: "It ended before the first visit, which came on {}.", "Er endete vor dem ersten Besuch, der am {} kam.";
    period_to_come: "It is still to come.", "Er liegt noch in der Zukunft.";
    visits_elsewhere: "There are some in others.", "In anderen gibt es welche.";
    see_all_time: "See all time", "Den gesamten Zeitraum ansehen";
    keep_tracker: "A page that already has another analytics script can keep it, and send its events to this address instead.",
        "Eine Seite, die schon ein solches Skript hat, kann es behalten und ihre Ereignisse hierher schicken.";

    // Panels
    panel_sources: "Where visits come from", "Woher Besuche kommen";
    panel_pages: "What is looked at", "Was angesehen wird";
    panel_places: "Where visitors are", "Wo Besucher sind";
    panel_devices: "What they use", "Was sie benutzen";
    panel_campaigns: "Which campaigns work", "Welche Kampagnen wirken";
    panel_events: "What they do", "Was sie tun";
    panel_goals: "Goals", "Ziele";
    panel_hours: "When they come", "Wann sie kommen";
    map_alt: "Map of the world: the darker a country, the more visitors are there",
        "Weltkarte: je dunkler ein Land, desto mehr Besucher sind dort";
    visitors_each: "Visitors", "Besucher";
    skip_map: "Skip the countries of the map", "Die Länder der Karte überspringen";
    hours_note: "Visitors who were there in that hour, on an average day of the week",
        "Besucher, die in dieser Stunde da waren, an einem durchschnittlichen Wochentag";
    no_goals: "This site has no goals yet. A goal is something that visitors shall do, such as signing up or reading a page.",
        "Diese Website hat noch keine Ziele. Ein Ziel ist etwas, das Besucher tun sollen, etwa sich anmelden oder eine Seite lesen.";
    make_first_goal: "Add the first goal", "Das erste Ziel anlegen";
    ask_for_goals: "Whoever edits this site can add some.", "Wer diese Website bearbeitet, kann welche anlegen.";

    // Details
    search: "Search", "Suchen";
    search_in: "Search in {}", "{} durchsuchen";
    search_sites: "Search sites", "Websites suchen";
    rows_of: "{} to {} of {}", "{} bis {} von {}";
    previous: "Previous", "Zurück";
    next: "Next", "Weiter";
    pages: "Pages of the list", "Seiten der Liste";
    csv: "Download as CSV", "Als CSV herunterladen";
    back: "Back to {}", "Zurück zu {}";
    not_found_rows: "Nothing matches.", "Nichts gefunden.";
    the_query: "The query behind this", "Die Abfrage dahinter";

    // Why this number
    definition: "What it is", "Was sie bedeutet";
    query_advice: "The same number comes from the reporting API, with a token of this site:",
        "Dieselbe Zahl kommt aus der Schnittstelle für Auswertungen, mit einem Token dieser Website:";
    freshness: "How fresh it is", "Wie frisch sie ist";
    newest_event: "The newest event of this site is from {}.", "Das neueste Ereignis dieser Website ist von {}.";
    no_event: "This site has no events yet.", "Diese Website hat noch keine Ereignisse.";
    clock_of: "Times are those of {}; it is {} there now.", "Zeiten nach der Uhr von {}; dort ist es jetzt {}.";
    dropped: "What is not counted", "Was nicht gezählt wird";
    dropped_advice: "Events since the collector started, for all its sites together: {} received, {} accepted.",
        "Ereignisse seit dem Start, für alle Websites zusammen: {} empfangen, {} angenommen.";
    reason: "Reason", "Grund";
    events: "Events", "Ereignisse";
    nothing_dropped: "Nothing was left out since then.", "Seitdem wurde nichts ausgelassen.";
    drop_bot: "The browser says that it is a bot", "Der Browser weist sich als Bot aus";
    drop_dc_ip: "It came from a data centre", "Es kam aus einem Rechenzentrum";
    drop_no_session_for_engagement: "Attention to a page without an open visit",
        "Aufmerksamkeit für eine Seite ohne laufenden Besuch";
    drop_no_consent: "The visitor has not consented to being counted", "Der Besucher hat nicht eingewilligt, gezählt zu werden";
    drop_several_sites: "It was for several sites at once, which the profile of this one does not allow",
        "Es galt mehreren Websites zugleich, was das Profil dieser nicht erlaubt";
    drop_objection: "The visitor objects to being counted", "Der Besucher möchte nicht gezählt werden";
    drop_spam_referrer: "The referrer is known for spam", "Der Verweis ist als Spam bekannt";
    drop_throttle_network: "Too many came from one network at once", "Zu viele kamen auf einmal aus einem Netz";
    drop_throttle_site: "Too many came for one site at once", "Zu viele kamen auf einmal für eine Website";
    drop_unknown_site: "No site of that name is registered", "Keine Website dieses Namens ist angemeldet";

    // Funnels and journeys
    funnel: "Funnel", "Trichter";
    funnels: "Funnels", "Trichter";
    save_funnel: "Save funnel", "Trichter speichern";
    save_funnel_advice: "To save a funnel, choose its steps on its page and give it a name there.",
        "Um einen Trichter zu speichern, wählen Sie auf seiner Seite die Schritte und geben Sie ihm dort einen Namen.";
    funnel_advice: "How many visitors go through several steps of a visit, one after the other. Choose at least two.",
        "Wie viele Besucher mehrere Schritte eines Besuchs nacheinander gehen. Wählen Sie mindestens zwei.";
    funnel_result: "{} of those who began came to the end", "{} derer, die begannen, kamen ans Ende";
    step: "Step", "Schritt";
    of_first: "Of the first step", "Vom ersten Schritt";
    of_first_before: "In the period before", "Im Zeitraum davor";
    of_first_year_before: "In the year before", "Im Vorjahr";
    of_first_other: "In the other period", "Im anderen Zeitraum";
    nobody_began: "Nobody began in this period.", "In diesem Zeitraum hat niemand begonnen.";
    of_step_before: "Of the step before", "Vom Schritt davor";
    drop_off: "Did not go on", "Gingen nicht weiter";
    add_step: "Add step", "Schritt hinzufügen";
    remove_step: "Remove step {}", "Schritt {} entfernen";
    stop_kind: "Kind", "Art";
    stop_page: "Page", "Seite";
    stop_event: "Event", "Ereignis";
    stop_goal: "Goal", "Ziel";
    stop_value: "Path (* is any characters) or name", "Pfad (* steht für beliebige Zeichen) oder Name";
    journey: "Journey", "Pfade";
    journey_advice: "What visits did next, or before, and what share of them. Choose a stop to begin there.",
        "Was Besuche danach oder davor taten, und welcher Anteil. Wählen Sie eine Station, um dort zu beginnen.";
    journey_start: "Begin there", "Dort beginnen";
    way_on: "Where they went", "Wohin sie gingen";
    way_back: "Where they came from", "Woher sie kamen";
    ended_there: "Ended there", "Endeten dort";
    began_there: "Began there", "Begannen dort";
    other_ways: "Elsewhere", "Anderswo";
    visit_of: "visit", "Besuch";
    visits_of: "visits", "Besuche";

    // Live
    now_there: "{} on the site now", "{} gerade auf der Website";
    live: "Right now", "Jetzt gerade";
    live_title: "The last 30 minutes", "Die letzten 30 Minuten";
    live_visitor: "visitor in the last five minutes", "Besucher in den letzten fünf Minuten";
    live_visitors: "visitors in the last five minutes", "Besucher in den letzten fünf Minuten";
    live_minutes: "Visitors in each of the last 30 minutes", "Besucher in jeder der letzten 30 Minuten";
    minute_ago: "{} minute ago", "vor {} Minute";
    minutes_ago: "{} minutes ago", "vor {} Minuten";
    minutes_ago_short: "{} min ago", "vor {} min";
    now: "now", "jetzt";
    this_minute: "This minute", "Diese Minute";
    quiet_now: "Nobody has been here in the last 30 minutes.", "In den letzten 30 Minuten war niemand hier.";

    // Settings
    settings: "Settings", "Einstellungen";
    timezone: "Time zone: where the site's days begin and end", "Zeitzone: wo die Tage der Website beginnen und enden";
    retention: "Days that events are kept", "Tage, die Ereignisse aufbewahrt werden";
    for_ever: "for ever", "unbegrenzt";
    open_to_all: "Everybody may read these reports", "Alle dürfen diese Auswertungen lesen";
    copy: "Copy", "Kopieren";
    copied: "Copied", "Kopiert";
    save: "Save", "Speichern";
    is_saved: "Saved.", "Gespeichert.";
    is_removed: "Removed.", "Entfernt.";
    remove: "Remove", "Entfernen";
    the_tag: "The tag for every page of the site", "Der Code für jede Seite der Website";
    elsewhere: "In pages of other sites", "Auf Seiten anderer Websites";
    elsewhere_private: "A frame with these reports and a badge with the visitors can stand in any page once everybody may read these reports.",
        "Ein Rahmen mit diesen Auswertungen und eine Plakette mit den Besuchern können auf jeder Seite stehen, sobald alle diese Auswertungen lesen dürfen.";
    the_frame: "A frame with these reports", "Ein Rahmen mit diesen Auswertungen";
    the_badge: "A badge with the visitors of the last 30 days", "Eine Plakette mit den Besuchern der letzten 30 Tage";
    badge: "visitors, 30 days", "Besucher, 30 Tage";
    badge_title: "Visitors of {} in the last 30 days: {}", "Besucher von {} in den letzten 30 Tagen: {}";
    goal_kind: "Reached by", "Erreicht durch";
    goal_event: "a custom event", "ein eigenes Ereignis";
    goal_page: "a view of a page", "den Aufruf einer Seite";
    goal_target: "Name of the event, or path of the page (* is any characters)",
        "Name des Ereignisses oder Pfad der Seite (* steht für beliebige Zeichen)";
    goal_scroll: "Of a page: scrolled down so far, in percent (optional)",
        "Bei einer Seite: so weit gescrollt, in Prozent (optional)";
    goal_name: "Name in reports (optional)", "Name in Auswertungen (optional)";
    goal_currency: "Of an event: currency of its revenue (optional)", "Bei einem Ereignis: Währung des Umsatzes (optional)";
    add_goal: "Add goal", "Ziel anlegen";
    save_segment: "Save these filters as a segment", "Diese Filter als Segment speichern";
    segment_advice: "To save a segment, filter the reports and come here from there.",
        "Um ein Segment zu speichern, filtern Sie die Auswertungen und kommen Sie von dort hierher.";

    on_this_page: "On this page", "Auf dieser Seite";
    // The register of sites, in the settings
    change_domain: "Change domain", "Domain ändern";
    renaming: "The site keeps its numbers. What tags send for {} is still counted, and links to it still lead here, until another site has that domain or this one is given yet another.",
        "Die Website behält ihre Zahlen. Was Tags für {} senden, wird weiter gezählt, und Links dorthin führen weiter hierher, bis eine andere Website diese Domain hat oder diese hier noch eine andere bekommt.";
    lost_rules: "The configuration of the collector has rules for {} that are not those of other sites. Write them there for the new domain, too.",
        "Die Konfiguration von Passerby hat für {} Regeln, die nicht die anderer Websites sind. Schreiben Sie sie dort auch für die neue Domain.";
    remove_site: "Remove site", "Website entfernen";
    removing: "The site's reports, goals, segments, funnels, annotations, members and shared links are gone at once, and its visits are no longer counted. Nothing brings them back: a site that is added under this domain later is another one, and empty.",
        "Auswertungen, Ziele, Segmente, Trichter, Anmerkungen, Mitglieder und geteilte Links der Website sind sofort weg, und ihre Besuche werden nicht mehr gezählt. Nichts bringt sie zurück: Eine Website, die später unter dieser Domain hinzugefügt wird, ist eine andere und leer.";
    events_stay: "Its events stay in the database, where no report shows them, until they are erased where the collector runs:",
        "Ihre Ereignisse bleiben in der Datenbank, wo keine Auswertung sie zeigt, bis sie dort gelöscht werden, wo Passerby läuft:";
    events_stay_a_day: "Its events stay in the database, where no report shows them, for {} day each, unless they are erased before that where the collector runs:",
        "Ihre Ereignisse bleiben in der Datenbank, wo keine Auswertung sie zeigt, je {} Tag, wenn sie nicht vorher dort gelöscht werden, wo Passerby läuft:";
    events_stay_days: "Its events stay in the database, where no report shows them, for {} days each, unless they are erased before that where the collector runs:",
        "Ihre Ereignisse bleiben in der Datenbank, wo keine Auswertung sie zeigt, je {} Tage, wenn sie nicht vorher dort gelöscht werden, wo Passerby läuft:";
    confirm_domain: "To remove it, type {}", "Zum Entfernen {} eintippen";
    not_confirmed: "The site was not removed: what was typed is not its domain, {}.",
        "Die Website wurde nicht entfernt: Was eingetippt wurde, ist nicht ihre Domain, {}.";

    // Annotations
    annotations: "Annotations", "Anmerkungen";
    annotations_advice: "What happened on a day, such as the start of a campaign; charts show it to members. Changed rules are written here by themselves.",
        "Was an einem Tag geschah, etwa der Beginn einer Kampagne; Diagramme zeigen es Mitgliedern. Geänderte Regeln stehen von selbst hier.";
    day: "Day", "Tag";
    what_happened: "What happened", "Was geschah";
    add_annotation: "Add annotation", "Anmerkung hinzufügen";
    change: "Change", "Ändern";
    automatic: "automatic", "automatisch";
    noted_timezone: "Days are those of {} from here on", "Tage gehen ab hier nach der Uhr von {}";
    noted_retention_day: "Events are kept for {} day from here on", "Ereignisse werden ab hier {} Tag aufbewahrt";
    noted_retention: "Events are kept for {} days from here on", "Ereignisse werden ab hier {} Tage aufbewahrt";
    noted_for_ever: "Events are kept for ever from here on", "Ereignisse werden ab hier unbegrenzt aufbewahrt";
    noted_goal_added: "Goal added: {}", "Ziel angelegt: {}";
    noted_goal_currency: "Goal with another currency: {}", "Ziel mit anderer Währung: {}";
    noted_goal_removed: "Goal removed: {}", "Ziel entfernt: {}";
    noted_profile: "The privacy profile is {} from here on", "Das Datenschutzprofil ist ab hier {}";
    noted_profile_cnil: "The privacy profile is cnil from here on: no campaigns, channels, revenue and cities",
        "Das Datenschutzprofil ist ab hier cnil: keine Kampagnen, Kanäle, Umsätze und Städte";
    noted_consent: "Consent of visitors is handled as {} from here on", "Einwilligungen werden ab hier so behandelt: {}";
    noted_consent_not_asked: "Visitors are not asked for consent from here on", "Besucher werden ab hier nicht um Einwilligung gefragt";
    noted_consent_anonymous: "Visitors are asked for consent from here on; views without it are counted and belong to nobody",
        "Besucher werden ab hier um Einwilligung gefragt; Aufrufe ohne sie zählen und gehören niemandem";
    noted_consent_required: "Visitors are asked for consent from here on; views without it are not counted",
        "Besucher werden ab hier um Einwilligung gefragt; Aufrufe ohne sie zählen nicht";
    noted_objection: "Objections of visitors (GPC) are handled as {} from here on", "Widersprüche von Besuchern (GPC) werden ab hier so behandelt: {}";
    noted_objection_anonymous: "Views of visitors who object (GPC) are counted from here on, and belong to nobody",
        "Aufrufe von Besuchern, die widersprechen (GPC), zählen ab hier und gehören niemandem";
    noted_objection_drop: "Views of visitors who object (GPC) are not counted from here on",
        "Aufrufe von Besuchern, die widersprechen (GPC), zählen ab hier nicht";
    noted_objection_ignore: "Views of visitors who object (GPC) are counted like all others from here on",
        "Aufrufe von Besuchern, die widersprechen (GPC), zählen ab hier wie alle anderen";

    // Shared links
    link_needs_password: "Whoever sent you this link has a password for it.",
        "Wer Ihnen diesen Link gegeben hat, hat ein Passwort dazu.";
    password: "Password", "Passwort";
    open_link: "Show the reports", "Auswertungen zeigen";
    wrong_password: "That is not the password of this link.", "Das ist nicht das Passwort dieses Links.";
    too_many_guesses: "Too many wrong passwords. Try again in a minute.",
        "Zu viele falsche Passwörter. Versuchen Sie es in einer Minute noch einmal.";

    // Links and tokens in the settings
    shared_links: "Shared links", "Geteilte Links";
    links_advice: "Whoever has a link sees this site without signing in. A link is not changed: remove it, and make another.",
        "Wer einen Link hat, sieht diese Website ohne Anmeldung. Ein Link wird nicht geändert: Entfernen Sie ihn, und legen Sie einen anderen an.";
    link_name: "What it is for", "Wofür er ist";
    link_password: "Password (optional, 8 characters or more)", "Passwort (optional, mindestens 8 Zeichen)";
    last_day: "Last day (optional)", "Letzter Tag (optional)";
    only_segment: "What it shows", "Was er zeigt";
    whole_site: "The whole site", "Die ganze Website";
    least_visitors: "Hide numbers below this many visitors (1: show all)",
        "Zahlen unter so vielen Besuchern verbergen (1: alle zeigen)";
    least_for_all: "If these reports are open to all: hide numbers below this many visitors (1: show all)",
        "Wenn diese Auswertungen öffentlich sind: Zahlen unter so vielen Besuchern verbergen (1: alle zeigen)";
    save_link: "Save link", "Link speichern";
    tokens: "Tokens", "Tokens";
    tokens_advice: "A token reads the reports of this site in programs, and signs in to these pages.",
        "Ein Token liest die Auswertungen dieser Website in Programmen und meldet auf diesen Seiten an.";
    token_name: "What it is for", "Wofür es ist";
    make_token: "Make token", "Token erzeugen";
    token_made: "This is the token. It is shown this once:", "Das ist das Token. Es wird nur dieses eine Mal gezeigt:";
    of_password: "with password", "mit Passwort";
    of_segment: "segment {}", "Segment {}";
    of_every_site: "every site", "alle Websites";
    of_admin: "admin", "Verwaltung";
    tells_all: "shows all numbers", "zeigt alle Zahlen";
    tells_from: "tells {} visitors or more", "nennt ab {} Besuchern";
    ends_at: "until {}", "bis {}";
    used_at: "last used {}", "zuletzt benutzt am {}";
    never_used: "not used yet", "noch nicht benutzt";

    // Members in the settings
    members: "Members", "Mitglieder";
    members_advice: "Members sign in as themselves, without a token. Whoever is a member already gets the new role.",
        "Mitglieder melden sich als sie selbst an, ohne Token. Wer schon Mitglied ist, bekommt die neue Rolle.";
    no_way_in: "Nobody can sign in so yet: whoever runs this collector sets up [sign_in] first.",
        "So kann sich noch niemand anmelden: Wer diese Installation betreibt, richtet zuerst [sign_in] ein.";
    member_person: "Name that the person signs in with, such as an e-mail address",
        "Name, mit dem sich die Person anmeldet, etwa eine E-Mail-Adresse";
    member_role: "Role", "Rolle";
    role_viewer: "sees the reports", "sieht die Auswertungen";
    role_editor: "edits goals, segments, funnels and annotations", "bearbeitet Ziele, Segmente, Trichter und Anmerkungen";
    role_owner: "owns the site", "besitzt die Website";
    save_member: "Save member", "Mitglied speichern";

    // Readers who are told no small numbers
    floor_note: "Numbers of fewer than {} visitors are not told here: what is rare is counted together, numbers are rounded to {}, and today is not among them.",
        "Anzahlen von weniger als {} Besuchern stehen hier nicht: Seltenes ist zusammengezählt, Zahlen sind auf {} gerundet, und der heutige Tag fehlt.";
    small_numbers: "Small numbers together", "Kleine Zahlen zusammen";

    // Mails
    letter_day: "Daily report", "Tagesbericht";
    letter_week: "Weekly report", "Wochenbericht";
    letter_month: "Monthly report", "Monatsbericht";
    letter_compared: "compared with the period before", "verglichen mit dem Zeitraum davor";
    letter_open: "Open these numbers", "Diese Zahlen öffnen";
    letter_why: "You receive this mail because your address is in the configuration of this installation.",
        "Sie erhalten diese Mail, weil Ihre Adresse in der Konfiguration dieser Installation steht.";
    alert_spike: "{}: many more visitors than usual", "{}: viel mehr Besucher als sonst";
    alert_drop: "{}: far fewer visitors than usual", "{}: viel weniger Besucher als sonst";
    alert_silence: "{}: no more visitors arrive", "{}: es kommen keine Besucher mehr an";
    alert_numbers: "Visitors in the last {} h: {}. Usual at this time of the week: {}.",
        "Besucher in den letzten {} h: {}. Um diese Zeit der Woche sonst: {}.";
    alert_check: "If that is not so, the pages may have lost their tag. Whoever runs the collector can look: passerby check https://{}/",
        "Stimmt das nicht, haben die Seiten vielleicht ihr Tag verloren. Wer Passerby betreibt, kann nachsehen: passerby check https://{}/";
    alert_pause: "Nothing more of this kind is sent about this site in the next twelve hours.",
        "In den nächsten zwölf Stunden wird zu dieser Website nichts weiter dieser Art gesendet.";

    // What is wrong with a form
    wrong_domain: "{} is not a host name. Give it as example.com, without https:// and path.",
        "{} ist kein Hostname. Geben Sie ihn wie example.com an, ohne https:// und Pfad.";
    domain_taken: "{} is the domain of a site already.", "{} ist schon die Domain einer Website.";
    rules_stay: "{} has rules of its own in the configuration, which {} has not. Whoever runs this collector writes them for the new domain first.",
        "{} hat eigene Regeln in der Konfiguration, die {} nicht hat. Wer diese Installation betreibt, schreibt sie erst für die neue Domain.";
    wrong_timezone: "{} is not a time zone. Choose one such as Europe/Berlin.",
        "{} ist keine Zeitzone. Wählen Sie eine wie Europe/Berlin.";
    wrong_retention: "Events can be kept for {} days at most. Without a number they are kept until they are erased.",
        "Ereignisse können höchstens {} Tage aufbewahrt werden. Ohne Zahl werden sie aufbewahrt, bis sie gelöscht werden.";
    retention_of_profile: "Under the profile cnil events are kept for 1 to {} days, which are 25 months.",
        "Unter dem Profil cnil werden Ereignisse 1 bis {} Tage aufbewahrt, das sind 25 Monate.";
    wrong_day: "{} is not a day. Write one such as 2027-01-31.", "{} ist kein Tag. Schreiben Sie einen wie 2027-01-31.";
    wrong_least: "The fewest visitors are a whole number from 1, which tells every number, to {}.",
        "Die Mindestzahl ist eine ganze Zahl von 1, die jede Zahl zeigt, bis {}.";
    unfit_password: "A password has at least {} characters, and {} bytes at most.",
        "Ein Passwort hat mindestens {} Zeichen und höchstens {} Bytes.";
    wrong_name: "A name or a text has 1 to {} characters, and no line breaks.",
        "Ein Name oder Text hat 1 bis {} Zeichen und keine Zeilenumbrüche.";
    attention_is_no_goal: "The event engagement can not be a goal: that is how pages tell of attention.",
        "Das Ereignis engagement kann kein Ziel sein: So melden Seiten Aufmerksamkeit.";
    wrong_path: "{} is not the path of a page. It begins with / and has {} bytes at most; * in it is any characters.",
        "{} ist kein Pfad einer Seite. Er beginnt mit / und hat höchstens {} Bytes; * darin steht für beliebige Zeichen.";
    wrong_scroll: "{} is not a whole number of percent from 0 to 100.", "{} ist keine ganze Zahl von 0 bis 100 Prozent.";
    wrong_currency: "{} is not the code of a currency. Give one such as EUR.",
        "{} ist kein Code einer Währung. Geben Sie einen wie EUR an.";
    currency_of_page: "Only events bring revenue. Leave out the currency, or choose an event.",
        "Nur Ereignisse bringen Umsatz. Lassen Sie die Währung weg, oder wählen Sie ein Ereignis.";
    scroll_of_event: "Only pages are scrolled. Leave out how far, or choose a page.",
        "Nur Seiten werden gescrollt. Lassen Sie weg, wie weit, oder wählen Sie eine Seite.";
    goal_name_taken: "Another goal is called {}.", "Ein anderes Ziel heißt {}.";
    segment_needs: "A segment needs a name, and filters.", "Ein Segment braucht einen Namen und Filter.";
    link_name_taken: "There is a link called {} already: remove it, or choose another name.", "Es gibt schon einen Link {}: entfernen Sie ihn, oder wählen Sie einen anderen Namen.";
    segment_name_taken: "Another segment is called {}.", "Ein anderes Segment heißt {}.";
    annotation_needs: "Say what happened, in 1 to 200 characters.", "Schreiben Sie mit 1 bis 200 Zeichen, was geschehen ist.";
    annotation_is_automatic: "The collector wrote this annotation. It can be removed, but not changed.",
        "Passerby hat diese Anmerkung geschrieben. Sie kann entfernt, aber nicht geändert werden.";
    wrong_person: "{} is not a name to sign in with. Give an e-mail address, or a name without spaces, of {} bytes at most.",
        "{} ist kein Name zum Anmelden. Geben Sie eine E-Mail-Adresse oder einen Namen ohne Leerzeichen mit höchstens {} Bytes an.";
    too_many: "A site has {} of these at most. Remove one that is no longer needed.",
        "Eine Website hat höchstens {} davon. Entfernen Sie, was nicht mehr gebraucht wird.";
    is_gone: "That is not there any more. Somebody may have removed it meanwhile.",
        "Das gibt es nicht mehr. Vielleicht hat es inzwischen jemand entfernt.";
    not_saved: "Nothing was changed: the database does not answer. Try again in a moment.",
        "Nichts wurde geändert: Die Datenbank antwortet nicht. Versuchen Sie es gleich noch einmal.";

    // The visitor's own page
    own_title: "Your privacy on {}", "Ihre Daten auf {}";
    own_heading: "What is counted about this browser today", "Was heute über diesen Browser gezählt wurde";
    own_this_site: "this site", "dieser Website";
    own_which_site: "Which site do you ask about?", "Um welche Website geht es?";
    own_show: "Show what is counted", "Anzeigen, was gezählt wurde";
    own_nothing: "Nothing", "Nichts";
    own_no_visit: "No visit of this browser to {} is counted today.", "Heute wurde kein Besuch dieses Browsers bei {} gezählt.";
    own_asks: "Your browser asks not to be recognised: such views are counted as numbers, and belong to nobody.",
        "Ihr Browser bittet darum, nicht wiedererkannt zu werden: Solche Aufrufe werden als Zahlen gezählt und gehören niemandem.";
    own_event: "{} event", "{} Ereignis";
    own_events: "{} events", "{} Ereignisse";
    own_list: "What is counted", "Was gezählt wurde";
    own_what: "What", "Was";
    own_hour: "Hour", "Stunde";
    own_viewed: "viewed", "aufgerufen";
    own_looked_at: "looked at", "betrachtet";
    own_place: "Place", "Ort";
    own_came_from: "Came from", "Gekommen von";
    own_referrer: "Referring page", "Verweisende Seite";
    own_shared: "People who share your connection, and use the same browser, are counted together with you. What you see here may be theirs.",
        "Wer Ihren Anschluss teilt und denselben Browser benutzt, wird mit Ihnen zusammen gezählt. Was Sie hier sehen, kann von anderen sein.";
    own_take: "Take it with you", "Mitnehmen";
    own_take_advice: "Everything that is stored of these visits, as a file.", "Alles, was von diesen Besuchen gespeichert ist, als Datei.";
    own_download: "Download", "Herunterladen";
    own_erase_it: "Erase it", "Löschen";
    own_erase_advice: "It is gone from every report at once, and from the disk within a quarter of an hour.",
        "Es ist sofort aus allen Auswertungen verschwunden und binnen einer Viertelstunde von der Festplatte.";
    own_erase_latest: "What was counted in the last seconds may not be shown yet; it is erased as well.",
        "Was in den letzten Sekunden gezählt wurde, wird vielleicht noch nicht angezeigt; es wird mit gelöscht.";
    own_erase: "Erase", "Löschen";
    own_erased: "It is erased.", "Es wurde gelöscht.";
    own_others_erase: "Somebody else's data is being erased at the moment; try again in a few seconds.",
        "Gerade werden die Daten von jemand anderem gelöscht; versuchen Sie es in ein paar Sekunden noch einmal.";
    own_not_all_erased: "Not everything could be erased yet; try again in a minute.",
        "Noch konnte nicht alles gelöscht werden; versuchen Sie es in einer Minute noch einmal.";
    own_not_at_hand: "What is counted can not be looked up at the moment; try again in a minute.",
        "Was gezählt wurde, lässt sich gerade nicht nachsehen; versuchen Sie es in einer Minute noch einmal.";
    own_too_much: "Too many requests come from your network; try again in a minute.",
        "Aus Ihrem Netz kommen zu viele Anfragen; versuchen Sie es in einer Minute noch einmal.";
    own_object_title: "Do not count me", "Mich nicht zählen";
    own_object_advice: "This is remembered in your browser alone, and nowhere else.", "Das merkt sich allein Ihr Browser und sonst niemand.";
    own_object_here: "It holds for {}; for other addresses, say it there.", "Es gilt nur für {}; auf anderen Adressen widersprechen Sie bitte dort.";
    own_object: "Object", "Widersprechen";
    own_agree: "Count me again", "Mich wieder zählen";
    own_no_script: "Without scripts: switch on Global Privacy Control in your browser.",
        "Ohne Skripte: Schalten Sie in Ihrem Browser Global Privacy Control ein.";
    own_how: "How it works", "Wie es funktioniert";
    own_how_counted: "When a page is opened, the site notes which page it was, where the visit came from, which kind of browser and system it was, and which country. It sets no cookie, and keeps neither your address nor what your browser says of itself word for word.",
        "Wird eine Seite geöffnet, hält die Website fest, welche es war, woher der Besuch kam, welche Art von Browser und System es war und welches Land. Sie setzt kein Cookie und speichert weder Ihre Adresse noch wörtlich, was Ihr Browser von sich sagt.";
    own_how_known: "To know that two views belong to one visit, it makes a number out of a shortened address and the browser, with a secret that it forgets at the end of the day. After that nobody can tell whose number it was, so this page can only speak of today.",
        "Um zu wissen, dass zwei Aufrufe zu einem Besuch gehören, bildet sie aus einer gekürzten Adresse und dem Browser eine Zahl, mit einem Geheimnis, das sie am Ende des Tages vergisst. Danach kann niemand mehr sagen, wessen Zahl es war; darum kann diese Seite nur von heute sprechen.";
    own_heeded: "Your browser asks not to be recognised, and is heeded.", "Ihr Browser bittet darum, nicht wiedererkannt zu werden, und das wird beachtet.";
    own_heeds: "A browser that sends Global Privacy Control or Do Not Track is not recognised.",
        "Ein Browser, der Global Privacy Control oder Do Not Track sendet, wird nicht wiedererkannt.";

    // What went wrong
    foreign_form: "That form was not one of these pages", "Dieses Formular stand nicht auf diesen Seiten";
    foreign_form_advice: "Nothing was changed. Begin at the settings of the site.",
        "Nichts wurde geändert. Beginnen Sie bei den Einstellungen der Website.";
    link_gone: "This link does not exist, or was removed", "Diesen Link gibt es nicht, oder er wurde entfernt";
    link_gone_advice: "Check that you have all of its address. If you have, ask whoever sent it to you for another one.",
        "Prüfen Sie, ob Sie die ganze Adresse haben. Wenn ja, bitten Sie um einen anderen, wer ihn Ihnen gegeben hat.";
    reads_only: "You may read this site's reports, and change nothing", "Sie dürfen die Auswertungen dieser Website lesen und nichts ändern";
    reads_only_advice: "Its settings are for those who edit or own it. One of them can give you that role.",
        "Ihre Einstellungen sind für die, die sie bearbeiten oder besitzen. Wer das tut, kann Ihnen diese Rolle geben.";
    not_found: "There is nothing here", "Hier ist nichts";
    not_found_advice: "Check the address, or begin at the overview of your sites.",
        "Prüfen Sie die Adresse, oder beginnen Sie bei der Übersicht Ihrer Websites.";
    no_role: "You are signed in, and have no site yet", "Sie sind angemeldet und haben noch keine Website";
    no_role_advice: "You are {}. Ask whoever runs this collector to make you a member of a site under that name.",
        "Sie sind {}. Bitten Sie, wer diese Installation betreibt, Sie unter diesem Namen zum Mitglied einer Website zu machen.";
    not_signed_in: "You are not signed in", "Sie sind nicht angemeldet";
    sign_in_astray: "This sign-in did not begin in this browser, or took too long. Begin it again here.",
        "Diese Anmeldung hat nicht in diesem Browser begonnen oder zu lange gedauert. Beginnen Sie sie hier noch einmal.";
    sign_in_denied: "The service that signs people in did not let you in, or you turned back. You can begin again here.",
        "Der Anmeldedienst hat Sie nicht eingelassen, oder Sie sind umgekehrt. Sie können hier noch einmal beginnen.";
    provider_away: "The service that signs people in does not answer as it should. Try again in a moment; a token works meanwhile.",
        "Der Anmeldedienst antwortet nicht, wie er soll. Versuchen Sie es gleich noch einmal; mit einem Token geht es solange.";
    address_not_verified: "The service that signs people in has not verified your e-mail address. Have it verified there, and sign in again.",
        "Der Anmeldedienst hat Ihre E-Mail-Adresse nicht bestätigt. Lassen Sie sie dort bestätigen, und melden Sie sich noch einmal an.";
    provider_names_nobody: "The service that signs people in does not say who you are. Whoever runs this collector finds the reason in its log.",
        "Der Anmeldedienst sagt nicht, wer Sie sind. Wer diese Installation betreibt, findet den Grund in ihrem Protokoll.";
    database_away: "The numbers are not at hand right now", "Die Zahlen sind gerade nicht verfügbar";
    database_away_advice: "The database does not answer. Visits are still counted, and nothing is lost; try again in a moment.",
        "Die Datenbank antwortet nicht. Besuche werden weiter gezählt, nichts geht verloren; versuchen Sie es gleich noch einmal.";
    answer_unreadable: "The numbers can not be shown", "Die Zahlen lassen sich nicht zeigen";
    answer_unreadable_advice: "What the database answered can not be read; the collector's log says why. Visits are still counted.",
        "Was die Datenbank geantwortet hat, ist nicht zu lesen; warum, steht im Protokoll der Installation. Besuche werden weiter gezählt.";
    too_expensive: "That is more than one page may ask for", "Das ist mehr, als eine Seite fragen darf";
    too_expensive_advice: "Choose a shorter period, or fewer filters.",
        "Wählen Sie einen kürzeren Zeitraum oder weniger Filter.";
    wrong_view: "This link asks for something that there is not", "Dieser Link fragt nach etwas, das es nicht gibt";
    wrong_view_advice: "A filter, a metric or a period in it is not known. Begin at the site's page.",
        "Ein Filter, eine Kennzahl oder ein Zeitraum darin ist unbekannt. Beginnen Sie bei der Seite der Website.";
}

#[cfg(test)]
mod tests {
    use super::PAIRS;

    #[test]
    fn both_languages_have_the_same_gaps() {
        for (name, english, german) in PAIRS {
            let gaps = |text: &str| text.matches("{}").count();
            assert_eq!(gaps(english), gaps(german), "{name}");
            assert!(!english.is_empty() && !german.is_empty(), "{name}");
        }
    }

    #[test]
    fn both_languages_end_alike() {
        for (name, english, german) in PAIRS {
            // A word may be shortened by a point; what has several is a sentence.
            let ends = |text: &str| text.contains(' ') && text.ends_with(['.', '?', ':', '!']);
            assert_eq!(ends(english), ends(german), "{name}");
        }
    }
}
