//! Forms that may bring files.

use actix_multipart::Multipart;
use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web};
use futures::{StreamExt, future::LocalBoxFuture};
use shared::values::Blob;

use super::{Fields, LIMIT, check_origin, malformed, parse, read};
use crate::{Answer, Fault, Page};

/// All files of a form together: five of the largest pictures that the catalogue takes.
const FILES_LIMIT: usize = 5 * (8 << 20);

/// A form of the admin, from a page of ours: its fields, and the files that were chosen. Only staff may send it: nobody
/// else's files are read.
pub struct Upload {
    pub fields: Fields,
    pub files: Vec<Blob>,
}

impl FromRequest for Upload {
    type Error = Fault;
    type Future = LocalBoxFuture<'static, Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let staff = Page::of(&request).and_then(|page| page.claims.clone());
            if staff.is_none_or(|claims| claims.permissions.is_empty()) {
                return Err(Fault::SignIn);
            }
            let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            let (pairs, files) = if kind.is_some_and(|kind| kind.starts_with("multipart/form-data")) {
                parts(Multipart::new(request.headers(), payload)).await?
            } else {
                (parse(&read(payload).await?)?, Vec::new())
            };
            let token = pairs.iter().find(|(name, _)| name == "_token").map(|(_, token)| token.as_str());
            check_origin(&request, Some(token.unwrap_or_default()))?;
            Ok(Self { fields: pairs.into(), files })
        })
    }
}

type Parts = (Vec<(String, String)>, Vec<Blob>);

async fn parts(mut form: Multipart) -> Answer<Parts> {
    let (mut pairs, mut files) = (Vec::new(), Vec::new());
    let (mut text_left, mut files_left) = (LIMIT, FILES_LIMIT);
    while let Some(part) = form.next().await {
        let mut part = part.map_err(|_| malformed("the form is broken"))?;
        let name = part.name().unwrap_or_default().to_owned();
        let is_file = part.content_disposition().is_some_and(|about| about.get_filename().is_some());
        let left = if is_file { &mut files_left } else { &mut text_left };
        let mut content = web::BytesMut::new();
        while let Some(chunk) = part.next().await {
            let chunk = chunk.map_err(|_| malformed("the form ended early"))?;
            *left = left.checked_sub(chunk.len()).ok_or_else(|| malformed("the form is too large"))?;
            content.extend_from_slice(&chunk);
        }
        if !is_file {
            let text = String::from_utf8(content.to_vec()).map_err(|_| malformed("the form is not UTF-8"))?;
            pairs.push((name, text));
        } else if !content.is_empty() {
            // A file field that is left empty sends an empty file.
            files.push(Blob(content.freeze()));
        }
    }
    Ok((pairs, files))
}
