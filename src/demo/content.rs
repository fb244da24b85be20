//! The pages and the journal of the demo shop: `content/<slug>.<language>.md`, each a title, perhaps a picture, and words.

use std::{collections::BTreeMap, time::Duration};

use contracts::{
    Actor, Ports,
    metadata::{
        content::{NewPage, NewPageText, PageImage, PageKind, PageStatus},
        settings::SettingsPatch,
    },
};
use rust_embed::Embed;
use shared::{Error, Result, Time, values::Locale};

#[derive(Embed)]
#[folder = "src/demo/content"]
struct Words;

/// Pixels of the pictures.
const BANNER: (u32, u32) = (1600, 900);

/// Slugs, and how many days ago they were published.
const PAGES: [(&str, PageKind, u64); 11] = [
    ("about", PageKind::Page, 365),
    ("help", PageKind::Page, 365),
    ("delivery", PageKind::Page, 365),
    ("returns", PageKind::Page, 365),
    ("contact", PageKind::Page, 365),
    ("imprint", PageKind::Page, 365),
    ("privacy", PageKind::Page, 365),
    ("terms", PageKind::Page, 365),
    ("a-stool-is-a-table", PageKind::Journal, 61),
    ("why-stoneware", PageKind::Journal, 33),
    ("light-in-the-evening", PageKind::Journal, 6),
];

/// Publishes what is not there yet, and says what the shop is unless somebody has said something.
pub(crate) async fn publish(ports: &Ports, now: Time) -> Result<()> {
    if ports.metadata.settings().await?.version == 0 {
        ports.metadata.update_settings(settings()?, Some(0), Actor::System).await?;
    }
    for (slug, kind, days) in PAGES {
        match ports
            .metadata
            .create_page(page(slug, kind, now.before(Duration::from_secs(days * 86_400)))?)
            .await
        {
            Err(error) if error.code == "slug_taken" => {}
            created => drop(created?),
        }
    }
    Ok(())
}

fn settings() -> Result<SettingsPatch> {
    let words = |en: &str, de: &str| {
        Ok::<_, Error>(BTreeMap::from([
            ("en".parse()?, Some(en.to_owned())),
            ("de".parse()?, Some(de.to_owned())),
        ]))
    };
    Ok(SettingsPatch {
        tagline: words(
            "Considered objects for everyday rooms, made by small workshops.",
            "Durchdachte Dinge für den Alltag, aus kleinen Werkstätten.",
        )?,
        announcement: words(
            "Free delivery over €75. Thirty days to change your mind.",
            "Versandkostenfrei ab 75 €. Dreißig Tage Zeit, es sich anders zu überlegen.",
        )?,
        ..SettingsPatch::default()
    })
}

fn page(slug: &str, kind: PageKind, published: Time) -> Result<NewPage> {
    let (mut texts, mut image) = (BTreeMap::new(), None);
    for language in ["en", "de"] {
        let name = format!("{slug}.{language}.md");
        let file =
            Words::get(&name).ok_or_else(|| Error::internal(format!("the demo has no text {name}")))?;
        let (text, picture) = parse(&String::from_utf8_lossy(&file.data))
            .ok_or_else(|| Error::internal(format!("{name} has no title")))?;
        texts.insert(language.parse::<Locale>()?, text);
        image = picture.or(image);
    }
    Ok(NewPage {
        kind,
        slug: Some(slug.to_owned()),
        status: PageStatus::Published,
        image: image.map(|file| PageImage { file, width: BANNER.0, height: BANNER.1 }),
        texts,
        published_at: Some(published),
    })
}

/// The words, and the file of the picture above them.
fn parse(markdown: &str) -> Option<(NewPageText, Option<String>)> {
    let (title, body) = markdown.strip_prefix("# ")?.split_once('\n')?;
    let mut body = body.trim();
    let (mut file, mut alt) = (None, "");
    if let Some((picture, rest)) = body.strip_prefix("![").and_then(|rest| rest.split_once(")\n"))
        && let Some((words, path)) = picture.split_once("](/media/")
    {
        (body, file, alt) = (rest.trim(), Some(path.to_owned()), words);
    }
    let text = NewPageText {
        title: title.to_owned(),
        body: body.to_owned(),
        excerpt: String::new(),
        image_alt: alt.to_owned(),
        seo_title: None,
        seo_description: None,
    };
    Some((text, file))
}
