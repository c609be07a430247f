//! The text for a site's own privacy policy. Its sentences follow from the configuration.

use super::{Facts, Language};
use crate::privacy::OnObjection;
use crate::site::policy::ConsentMode;

pub(super) fn text(facts: &Facts, language: Language) -> String {
    let days = facts.sites.iter().map(|(site, days)| match (language, days) {
        (Language::En, Some(days)) => format!("{site}: {days} days"),
        (Language::En, None) => format!("{site}: until they are erased"),
        (Language::De, Some(days)) => format!("{site}: {days} Tage"),
        (Language::De, None) => format!("{site}: bis sie gelöscht werden"),
    });
    let days = days.collect::<Vec<_>>().join("; ");
    match language {
        Language::En => english(facts, &days),
        Language::De => german(facts, &days),
    }
}

fn english(facts: &Facts, days: &str) -> String {
    let (ipv4, ipv6) = facts.prefixes;
    let place = match (facts.has_places, facts.is_strict()) {
        (false, _) => "",
        (true, true) => ", the country and region of the shortened address",
        (true, false) => ", the country, region and city of the shortened address",
    };
    let campaigns = if facts.is_strict() { "" } else { " and campaigns" };
    let consent = match facts.consent() {
        ConsentMode::NotAsked => "",
        ConsentMode::Anonymous => {
            " Without your consent a view is counted as a number and belongs to nobody."
        }
        ConsentMode::Required => " Nothing is sent or counted without your consent.",
    };
    let objection = match facts.on_objection {
        OnObjection::Anonymous => {
            "If your browser sends Global Privacy Control or Do Not Track, a view is counted as a number and belongs to \
             nobody. "
        }
        OnObjection::Drop => {
            "If your browser sends Global Privacy Control or Do Not Track, nothing is counted. "
        }
        OnObjection::Ignore => "",
    };
    format!(
        "## Statistics on the use of this site

We count how our pages are used: which are viewed and for how long, what is downloaded or searched for, from which \
         pages{campaigns} visits come. For each view we store the page, the time, the referring page without its \
         parameters, the kind and version of browser and operating system, the kind of device, the language{place}.{consent}

No cookie is set. Your address is shortened at once (to its first {ipv4} bits, or {ipv6} with IPv6) and is not stored, \
         nor is what your browser says of itself word for word. To recognise that several views belong to one visit, a \
         number is computed from both with a random secret. The secret is deleted at the end of the day, and after that \
         nobody can tell whose number it was.

The data are seen only by those who look after this site, and are passed on to nobody. They are \
         kept for: {days}; then they are deleted.

You can see, download and erase what is counted about your browser today at /privacy, and object there: then nothing is \
         counted any more. {objection}Because we do not know whose the numbers of earlier days are, we can not find them \
         for you.
"
    )
}

fn german(facts: &Facts, days: &str) -> String {
    let (ipv4, ipv6) = facts.prefixes;
    let place = match (facts.has_places, facts.is_strict()) {
        (false, _) => "",
        (true, true) => ", Land und Region der gekürzten Adresse",
        (true, false) => ", Land, Region und Stadt der gekürzten Adresse",
    };
    let campaigns = if facts.is_strict() { "" } else { " und Kampagnen" };
    let consent = match facts.consent() {
        ConsentMode::NotAsked => "",
        ConsentMode::Anonymous => {
            " Ohne Ihre Einwilligung wird ein Aufruf nur als Zahl gezählt und niemandem zugeordnet."
        }
        ConsentMode::Required => " Ohne Ihre Einwilligung wird nichts gesendet und nichts gezählt.",
    };
    let objection = match facts.on_objection {
        OnObjection::Anonymous => {
            "Sendet Ihr Browser Global Privacy Control oder Do Not Track, wird ein Aufruf nur als Zahl gezählt und \
             niemandem zugeordnet. "
        }
        OnObjection::Drop => {
            "Sendet Ihr Browser Global Privacy Control oder Do Not Track, wird nichts gezählt. "
        }
        OnObjection::Ignore => "",
    };
    format!(
        "## Statistik über die Nutzung dieser Website

Wir zählen, wie unsere Seiten genutzt werden: welche Seiten aufgerufen werden und wie lange, was heruntergeladen oder \
         gesucht wird, über welche Seiten{campaigns} Besuche zu uns kommen. Zu jedem Aufruf speichern wir die Seite, den \
         Zeitpunkt, die verweisende Seite ohne ihre Parameter, Art und Version von Browser und Betriebssystem, die Art des \
         Geräts, die Sprache{place}.{consent}

Es wird kein Cookie gesetzt. Ihre Adresse wird sofort gekürzt (auf die ersten {ipv4} Bit, bei IPv6 {ipv6}) und nicht \
         gespeichert, ebenso wenig der Wortlaut dessen, was Ihr Browser über sich mitteilt. Um zu erkennen, dass mehrere \
         Aufrufe zu einem Besuch gehören, wird aus beidem mit einem zufälligen Geheimnis eine Zahl berechnet. Das Geheimnis \
         wird am Ende des Tages gelöscht; danach kann niemand mehr feststellen, zu wem die Zahl gehörte.

Die Daten werden nur von denen eingesehen, die diese Website betreuen, und an \
         niemanden weitergegeben. Aufbewahrt werden sie so lange: {days}; danach werden sie gelöscht.

Was heute über Ihren Browser gezählt ist, können Sie unter /privacy ansehen, herunterladen und löschen; dort können Sie \
         auch widersprechen: dann wird nichts mehr gezählt. {objection}Weil wir nicht wissen, zu wem die Zahlen früherer Tage \
         gehören, können wir sie Ihnen nicht heraussuchen.
"
    )
}
