//! The rules that want somebody to look at a review.

use contracts::review::Hold;

use super::StoredReview;

/// A text with fewer letters shouts nothing.
const FEW_LETTERS: usize = 12;
/// What addresses in advertising mostly end with. A full stop without a space ("good.The") must not look like one.
const ENDINGS: [&str; 24] = [
    "com", "net", "org", "info", "biz", "shop", "store", "online", "site", "website", "xyz", "top", "club",
    "vip", "app", "dev", "io", "co", "ru", "cn", "de", "uk", "eu", "example",
];

/// What speaks against letting the review in unseen. `busy`: its author writes more than people do.
pub fn against(review: &StoredReview, busy: bool) -> Vec<Hold> {
    let texts = [review.author.as_deref().unwrap_or_default(), &review.content.title, &review.content.body];
    let rules = [
        (texts.iter().any(|text| leads_somewhere(text)), Hold::Links),
        (shouts(&texts[1..].concat()), Hold::Shouting),
        (busy, Hold::Rate),
    ];
    rules.into_iter().filter(|(broken, _)| *broken).map(|(_, hold)| hold).collect()
}

/// Whether there is a web or mail address in it.
fn leads_somewhere(text: &str) -> bool {
    let text = text.to_lowercase();
    text.split(|c: char| c.is_whitespace() || "()[]<>\"',;!".contains(c)).any(is_address)
}

fn is_address(word: &str) -> bool {
    if word.contains("://") || word.contains("www.") {
        return true;
    }
    let host = word.split(['/', '?', '#', ':']).find(|part| !part.is_empty()).unwrap_or_default();
    let host = host.trim_end_matches('.');
    let Some((name, ending)) = host.rsplit_once('.') else { return false };
    let named = name.ends_with(|c: char| c.is_alphanumeric() || c == '-');
    named && (name.contains('@') || ENDINGS.contains(&ending))
}

/// Whether it is mostly capitals.
fn shouts(text: &str) -> bool {
    let capitals = text.chars().filter(|c| c.is_uppercase()).count();
    let letters = capitals + text.chars().filter(|c| c.is_lowercase()).count();
    letters >= FEW_LETTERS && capitals * 2 > letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_and_full_stops_are_not() {
        for link in [
            "buy at https://example.org/x",
            "HTTP://EXAMPLE.ORG",
            "cheap-mugs.com",
            "look (mugs.shop/deals?x=1)!",
            "www.mugs",
            "ask me: ada@example.it.",
            "see mugs.co.uk, it is cheaper",
        ] {
            assert!(leads_somewhere(link), "{link}");
        }
        for plain in [
            "It is good.The handle is not.",
            "1.5 litres, 2.0 better than before...",
            "e.g. tea, i.e. hot water",
            "Meet me @ the café",
            "and/or",
            "...",
            "",
        ] {
            assert!(!leads_somewhere(plain), "{plain}");
        }
    }

    #[test]
    fn mostly_capitals_is_shouting() {
        assert!(shouts("BEST MUG EVER, BUY IT"));
        assert!(shouts("ÄRGERLICH UND ÜBERTEUERT"));
        assert!(!shouts("The USB LED works"));
        assert!(!shouts("OK!!!"));
        assert!(!shouts("とても良いマグカップです。毎日使っています。"));
    }
}
