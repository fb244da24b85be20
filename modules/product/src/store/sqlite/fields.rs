//! What the metadata module says of products. Each write takes what is newer than what is there.

use std::collections::HashMap;

use contracts::{
    metadata::{Definition, DefinitionChanged, DefinitionId, MetafieldsChanged},
    product::ProductId,
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Result, Time,
    db::{Conn, Tx},
    on,
};

use super::products;
use crate::{
    model::fields::{IndexedField, indexed},
    schema::{field_definitions as definitions, product_fields as fields, product_touches as touches},
};

/// Of these products, by product.
pub(super) async fn load(
    conn: &mut Conn,
    ids: &[ProductId],
) -> Result<HashMap<ProductId, Vec<IndexedField>>> {
    let of_these =
        fields::table.filter(fields::product_id.eq_any(ids)).select((fields::product_id, fields::data));
    let rows: Vec<(ProductId, String)> = on!(conn, |c| of_these.load(c).await)?;
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let known: Vec<String> = on!(conn, |c| definitions::table.select(definitions::data).load(c).await)?;
    let mut by_id = HashMap::<DefinitionId, Definition>::new();
    for text in known {
        let DefinitionChanged { definition, deleted } = serde_json::from_str(&text)?;
        if !deleted {
            by_id.insert(definition.id, definition);
        }
    }
    let mut all = HashMap::new();
    for (product, text) in rows {
        let changed: MetafieldsChanged = serde_json::from_str(&text)?;
        all.insert(product, indexed(&changed.values, &by_id));
    }
    Ok(all)
}

pub(super) async fn take_values(
    tx: &mut Tx,
    product: ProductId,
    changed: &MetafieldsChanged,
    now: Time,
) -> Result<()> {
    let (version, data) = (changed.version, serde_json::to_string(changed)?);
    on!(tx, |c| diesel::insert_into(fields::table)
        .values((fields::product_id.eq(product), fields::version.eq(0_i64), fields::data.eq(&data)))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    let older = fields::table.find(product).filter(fields::version.lt(version));
    let newer = (fields::version.eq(version), fields::data.eq(&data));
    on!(tx, |c| diesel::update(older).set(newer).execute(c).await)?;
    products::touch(tx, &[product], now).await
}

/// Every product with custom fields is indexed again: definitions change seldom.
pub(super) async fn take_definition(tx: &mut Tx, changed: &DefinitionChanged, now: Time) -> Result<()> {
    let Definition { id, version, .. } = changed.definition;
    let data = serde_json::to_string(changed)?;
    on!(tx, |c| diesel::insert_into(definitions::table)
        .values((definitions::id.eq(id), definitions::version.eq(0_i64), definitions::data.eq(&data)))
        .on_conflict_do_nothing()
        .execute(c)
        .await)?;
    let older = definitions::table.find(id).filter(definitions::version.lt(version));
    let newer = (definitions::version.eq(version), definitions::data.eq(&data));
    on!(tx, |c| diesel::update(older).set(newer).execute(c).await)?;
    let with_fields =
        touches::table.filter(touches::product_id.eq_any(fields::table.select(fields::product_id)));
    on!(tx, |c| diesel::update(with_fields).set(touches::touched_at.eq(now)).execute(c).await)?;
    Ok(())
}
