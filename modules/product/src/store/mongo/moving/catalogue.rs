//! Categories and products: what is named by staff has other names in a document.

use contracts::product::{CategoryId, Image, Product};
use mongodb::bson::{Bson, Document, doc};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{
    Error, Result, Time,
    mongo::{from_document, to_document},
    transfer::{Kind, parsed, part_rows, rewritten, text},
};

use crate::store::mongo::{
    categories::PLACEMENTS,
    names::{escape, unescape},
    products::with_names,
};

pub fn category_row(kind: &Kind, document: &Document) -> Result<Value> {
    let mut row = kind.row_of_members(document)?;
    row["image"] = match document.get("image") {
        Some(Bson::Document(image)) => {
            let mut image: Image = from_document(image.clone())?;
            unescape(&mut image.options);
            json!(serde_json::to_string(&image)?)
        }
        _ => Value::Null,
    };
    Ok(row)
}

pub fn category_document(kind: &Kind, row: &Value) -> Result<Document> {
    let mut document = kind.document_of_members(row)?;
    let image = match row["image"].as_str() {
        Some(image) => {
            let mut image: Image = serde_json::from_str(image)?;
            escape(&mut image.options);
            Bson::Document(to_document(&image)?)
        }
        None => Bson::Null,
    };
    document.insert("image", image);
    Ok(document)
}

pub fn category_rewritten(row: &mut Value) -> Result<()> {
    rewritten::<Image>(row, "image")
}

pub fn product_row(kind: &Kind, document: &Document) -> Result<Value> {
    #[derive(Deserialize)]
    struct Rest {
        data: Product,
        rating: Rating,
        touched_at: i64,
        category_ids: Vec<CategoryId>,
    }
    #[derive(Deserialize)]
    struct Rating {
        average: f64,
        count: i64,
        sequence: i64,
    }
    let mut row = kind.row_of_members(document)?;
    let Rest { mut data, rating, touched_at, category_ids } = from_document(document.clone())?;
    with_names(&mut data, unescape);
    let published = row["status"] == "published";
    let places = category_ids.iter().map(|id| json!({"category_id": id.uuid(), "published": published}));
    row["data"] = json!(serde_json::to_string(&data)?);
    row["rating_average"] = json!(rating.average);
    row["rating_count"] = json!(rating.count);
    row["rating_sequence"] = json!(rating.sequence);
    row["product_touches"] = json!([{"touched_at": Time::from_micros(touched_at)}]);
    row["product_categories"] = places.collect();
    Ok(row)
}

pub fn product_document(kind: &Kind, row: &Value) -> Result<Document> {
    #[derive(Deserialize)]
    struct Rest {
        data: String,
        rating_average: f64,
        rating_count: i64,
        rating_sequence: i64,
        product_touches: [Touch; 1],
    }
    #[derive(Deserialize)]
    struct Touch {
        touched_at: Time,
    }
    let mut document = kind.document_of_members(row)?;
    let Rest { data, rating_average, rating_count, rating_sequence, product_touches: [touch] } =
        Rest::deserialize(row)?;
    let mut data: Product = serde_json::from_str(&data)?;
    with_names(&mut data, escape);
    let mut places = part_rows(row, "product_categories")?
        .iter()
        .map(|place| parsed(&place["category_id"]))
        .collect::<Result<Vec<CategoryId>>>()?;
    places.sort();
    let places: Vec<_> = places.iter().map(ToString::to_string).collect();
    let counted = text(&row["status"])? == "published" && !places.is_empty();
    let placements =
        if counted { vec![doc! {"_id": data.id.to_string(), "category_ids": &places}] } else { Vec::new() };
    document.extend(doc! {
        "data": to_document(&data)?,
        "rating": {"average": rating_average, "count": rating_count, "sequence": rating_sequence},
        "touched_at": touch.touched_at.micros(),
        "category_ids": places,
        PLACEMENTS: placements,
    });
    Ok(document)
}

pub fn product_rewritten(row: &mut Value) -> Result<()> {
    rewritten::<Product>(row, "data")?;
    let average =
        row["rating_average"].as_f64().ok_or_else(|| Error::internal("a product without a rating"))?;
    row["rating_average"] = json!(average);
    Ok(())
}
