//! Pictures: what they are by content, and how their files may be called.

use image::ImageFormat;
use sha2::{Digest, Sha256};
use shared::{Error, Result};

/// The largest picture.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// What a file is, by its first bytes, and its usual extension. `Invalid/media_type` unless it is a JPEG, PNG, WebP or
/// GIF, `Invalid/too_large`.
pub fn format(content: &[u8]) -> Result<(ImageFormat, &'static str)> {
    if content.len() > MAX_BYTES {
        return Err(Error::invalid("/content", "too_large", "a picture may have at most 8 MiB"));
    }
    match sniff(content) {
        Some((_, "jpg")) => Ok((ImageFormat::Jpeg, "jpg")),
        Some((_, "png")) => Ok((ImageFormat::Png, "png")),
        Some((_, "gif")) => Ok((ImageFormat::Gif, "gif")),
        Some((_, "webp")) => Ok((ImageFormat::WebP, "webp")),
        _ => Err(Error::invalid("/content", "media_type", "must be a JPEG, PNG, WebP or GIF")),
    }
}

/// The media type and the usual extension of a picture, by its first bytes.
pub fn sniff(content: &[u8]) -> Option<(&'static str, &'static str)> {
    let brand = (content.get(4..8) == Some(b"ftyp".as_slice())).then(|| content.get(8..12)).flatten();
    match content {
        [0xff, 0xd8, 0xff, ..] => Some(("image/jpeg", "jpg")),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(("image/png", "png")),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(("image/gif", "gif")),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(("image/webp", "webp")),
        _ if matches!(brand, Some(b"avif" | b"avis")) => Some(("image/avif", "avif")),
        _ => None,
    }
}

/// The file name of an upload: the same content has the same name.
pub fn name(content: &[u8], extension: &str) -> String {
    let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(content)[..8]);
    format!("{digest}.{extension}")
}

/// Whether `file` can be the name of a picture: it cannot lead out of the folder, nor hide in it.
pub fn is_name(file: &str) -> bool {
    !file.starts_with('.')
        && (1..=200).contains(&file.len())
        && file.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIF: &[u8] = b"GIF89a\x02\x00\x03\x00\x00\x00\x00;";

    #[test]
    fn a_picture_is_known_by_its_content() {
        assert_eq!(format(GIF).unwrap(), (ImageFormat::Gif, "gif"));
        let avif = b"\0\0\0\x20ftypavif".as_slice();
        for wrong in [b"<svg onload=alert(1)>".as_slice(), b"", b"GIF8", b"RIFFxxxxWAVE", b"%PDF-1.7", avif] {
            assert_eq!(format(wrong).unwrap_err().code, "media_type");
        }
        let large = [GIF, &vec![0; MAX_BYTES]].concat();
        assert_eq!(format(&large).unwrap_err().code, "too_large");
    }

    #[test]
    fn a_file_name_stays_in_its_folder() {
        assert!(is_name("arc-headphones_2.webp"));
        for wrong in ["", ".", "..", "../a.webp", "a/b.webp", "a\\b", ".hidden", "a\0b", "ä.png"] {
            assert!(!is_name(wrong), "{wrong:?}");
        }
    }
}
