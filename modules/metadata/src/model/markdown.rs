//! Markdown as HTML that can do no harm.

use std::{borrow::Cow, collections::HashSet};

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// Renders and sanitises. The first headline level becomes the second: the first is the page's title.
pub fn render(markdown: &str) -> String {
    let mut rendered = String::new();
    html::push_html(&mut rendered, Parser::new_ext(markdown, options()).map(lowered));
    sanitised(&rendered)
}

/// The words alone, at most so many characters of them, cut between two words.
pub fn beginning(markdown: &str, most: usize) -> String {
    let mut text = String::new();
    for event in Parser::new_ext(markdown, options()) {
        match event {
            Event::Text(words) | Event::Code(words) => text.push_str(&words),
            Event::SoftBreak | Event::HardBreak | Event::End(TagEnd::Paragraph | TagEnd::Item) => {
                text.push(' ')
            }
            // Headlines are not sentences.
            Event::Start(Tag::Heading { .. }) => text.push('\u{1f}'),
            Event::End(TagEnd::Heading(_)) => {
                text.truncate(text.rfind('\u{1f}').unwrap_or(text.len()));
            }
            _ => {}
        }
    }
    let mut short = String::new();
    for word in text.split_whitespace() {
        if short.chars().count() + word.chars().count() >= most {
            return short + "…";
        }
        if !short.is_empty() {
            short.push(' ');
        }
        short.push_str(word);
    }
    short
}

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH
}

fn lowered(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Start(Tag::Heading { level: HeadingLevel::H1, id, classes, attrs }) => {
            Event::Start(Tag::Heading { level: HeadingLevel::H2, id, classes, attrs })
        }
        Event::End(TagEnd::Heading(HeadingLevel::H1)) => Event::End(TagEnd::Heading(HeadingLevel::H2)),
        event => event,
    }
}

/// Without scripts, forms, styles, and pictures from elsewhere, which would tell others who reads the page.
fn sanitised(html: &str) -> String {
    let mut builder = ammonia::Builder::default();
    builder.rm_tags(["h1"]).url_schemes(HashSet::from(["http", "https", "mailto", "tel"])).attribute_filter(
        |element, attribute, value| {
            let ours = value.starts_with('/') && !value.starts_with("//") && !value.contains('\\');
            (element != "img" || attribute != "src" || ours).then_some(Cow::Borrowed(value))
        },
    );
    builder.clean(html).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_html() {
        let html = render(
            "# Care\n\nWash *by hand*, ~~hot~~.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n![Mug](/media/mug.webp)",
        );
        assert!(html.contains("<h2>Care</h2>"), "{html}");
        assert!(html.contains("<em>by hand</em>, <del>hot</del>"), "{html}");
        assert!(html.contains("<td>1</td>") && html.contains("src=\"/media/mug.webp\""), "{html}");
    }

    #[test]
    fn nothing_in_it_runs_or_calls_home() {
        let html = render(
            "<script>alert(1)</script><img src=x onerror=alert(1)><h1 onclick=\"x()\">A</h1>\n\
             [a](javascript:alert(1)) [b](data:text/html,x) ![c](https://evil.example/c.png) ![d](//evil.example/d)\n\
             <form action=/x><input name=a></form><p style=\"position:fixed\">e</p><svg onload=alert(1)></svg>\n\n\
             [f](https://example.com)",
        );
        for bad in [
            "script",
            "onerror",
            "onclick",
            "javascript:",
            "data:",
            "evil",
            "<form",
            "<input",
            "style",
            "svg",
            "<h1",
        ] {
            assert!(!html.contains(bad), "{bad} in {html}");
        }
        assert!(html.contains("href=\"https://example.com\"") && html.contains("noopener"), "{html}");
    }

    #[test]
    fn a_beginning_ends_between_two_words() {
        let text = "# Title\n\nThe *first* words, then\nmore of them.";
        assert_eq!(beginning(text, 100), "The first words, then more of them.");
        assert_eq!(beginning(text, 18), "The first words,…");
        assert_eq!(beginning("", 10), "");
    }
}
