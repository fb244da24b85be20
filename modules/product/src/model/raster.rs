//! Pictures as pixels: read within limits, upright and without what a camera writes beside them, and written smaller.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbaImage,
    codecs::jpeg::JpegEncoder, imageops::FilterType, metadata::Orientation,
};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};
use shared::{Error, Result, values::Blob};

use super::picture;

/// The widths of the smaller forms; none is wider than the picture.
const WIDTHS: [u32; 5] = [240, 480, 720, 960, 1440];
/// A file of a few bytes can promise any number of pixels.
const MAX_PIXELS: u64 = 50_000_000;
const MAX_MEMORY: u64 = 512 * 1024 * 1024;
const WEBP_QUALITY: f32 = 82.0;
/// Of a picture that is written again because of what stood beside its pixels.
const CLEAN_QUALITY: u8 = 92;

/// A picture as it may be kept.
pub struct Clean {
    pub content: Blob,
    pub extension: &'static str,
    /// Pixels, upright.
    pub width: u32,
    pub height: u32,
}

/// The smaller forms of a picture.
#[derive(Debug)]
pub struct Forms {
    /// `#rrggbb`, the average.
    pub color: String,
    pub files: Vec<Form>,
}

#[derive(Debug)]
pub struct Form {
    pub width: u32,
    /// `webp` or `avif`.
    pub extension: &'static str,
    pub content: Vec<u8>,
}

/// Reads every pixel. `Invalid`: `media_type` unless it is a JPEG, PNG, WebP or GIF by content, `too_large`,
/// `too_many_pixels`, `broken`. Without EXIF, XMP and IPTC.
pub fn clean(content: Blob) -> Result<Clean> {
    let header = Header::read(&content.0)?;
    let picture = decode(&content.0)?;
    if header.tagged { header.rewritten(picture) } else { Ok(header.kept(content)) }
}

/// The same for files that the shop's own people bring: pixels are read only where something must be removed.
pub fn clean_quickly(content: Blob) -> Result<Clean> {
    let header = Header::read(&content.0)?;
    if header.tagged { header.rewritten(decode(&content.0)?) } else { Ok(header.kept(content)) }
}

/// The smaller forms of a picture that has passed [`clean`] or [`clean_quickly`].
pub fn forms(content: &[u8], avif: bool) -> Result<Forms> {
    let mut picture = decode(content)?;
    let mut files = Vec::new();
    let whole = picture.width();
    // From wide to narrow, each from the one before: that is quick, and nobody sees the difference.
    for width in WIDTHS.into_iter().rev().filter(|width| *width <= whole) {
        if width < picture.width() {
            let height = u64::from(picture.height()) * u64::from(width) / u64::from(picture.width());
            let height = u32::try_from(height).unwrap_or(u32::MAX).max(1);
            picture = picture.resize_exact(width, height, FilterType::CatmullRom);
        }
        files.push(Form { width, extension: "webp", content: as_webp(&picture, WEBP_QUALITY)? });
        if avif {
            files.push(Form { width, extension: "avif", content: as_avif(&picture)? });
        }
    }
    files.reverse();
    Ok(Forms { color: average(&picture.to_rgba8()), files })
}

struct Header {
    format: ImageFormat,
    extension: &'static str,
    width: u32,
    height: u32,
    /// Has something beside its pixels that must go, or lies on its side.
    tagged: bool,
}

impl Header {
    fn read(content: &[u8]) -> Result<Self> {
        let (format, extension) = picture::format(content)?;
        let mut decoder = open(content, format)?;
        let (width, height) = decoder.dimensions();
        let blocks = [decoder.exif_metadata(), decoder.xmp_metadata(), decoder.iptc_metadata()];
        let tagged = blocks.into_iter().any(|block| !matches!(block, Ok(None))) || has_mark(content);
        Ok(Self { format, extension, width, height, tagged })
    }

    fn kept(self, content: Blob) -> Clean {
        let Self { extension, width, height, .. } = self;
        Clean { content, extension, width, height }
    }

    fn rewritten(self, picture: DynamicImage) -> Result<Clean> {
        let (width, height) = (picture.width(), picture.height());
        let mut out = Vec::new();
        match self.format {
            ImageFormat::Jpeg => {
                let encoder = JpegEncoder::new_with_quality(&mut out, CLEAN_QUALITY);
                picture.to_rgb8().write_with_encoder(encoder).map_err(Error::internal)?;
            }
            ImageFormat::WebP => out = as_webp(&picture, f32::from(CLEAN_QUALITY))?,
            format => picture.write_to(&mut Cursor::new(&mut out), format).map_err(Error::internal)?,
        }
        Ok(Clean { content: Blob(out.into()), extension: self.extension, width, height })
    }
}

/// Decoders do not look behind the pixels, where there may be a comment or another picture with a place of its own. A mark
/// that is there by chance costs no more than writing the picture again.
fn has_mark(content: &[u8]) -> bool {
    const MARKS: [&[u8]; 8] = [b"Exif", b"eXIf", b"EXIF", b"XMP ", b"ns.a", b"tEXt", b"iTXt", b"zTXt"];
    content.windows(4).any(|bytes| MARKS.contains(&bytes))
}

fn open(content: &[u8], format: ImageFormat) -> Result<impl ImageDecoder> {
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(refused)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || decoder.total_bytes() > MAX_MEMORY {
        return Err(too_many());
    }
    Ok(decoder)
}

/// Upright, in sRGB, as RGBA.
fn decode(content: &[u8]) -> Result<DynamicImage> {
    let (format, _) = picture::format(content)?;
    let mut decoder = open(content, format)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().unwrap_or_default();
    let mut picture = DynamicImage::from_decoder(decoder).map_err(refused)?;
    picture.apply_orientation(orientation);
    let pixels = picture.into_rgba8();
    let converted = profile.and_then(|profile| in_srgb(&pixels, &profile));
    Ok(converted.unwrap_or(pixels).into())
}

/// A browser takes a picture without a profile for sRGB. `None` where the profile is of no use for these pixels.
fn in_srgb(pixels: &RgbaImage, profile: &[u8]) -> Option<RgbaImage> {
    let profile = ColorProfile::new_from_slice(profile).ok()?;
    if profile.color_space != DataColorSpace::Rgb {
        return None;
    }
    let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
    let transform = profile.create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgba, options).ok()?;
    let mut out = RgbaImage::new(pixels.width(), pixels.height());
    transform.transform(pixels, &mut out).ok()?;
    Some(out)
}

#[cfg(feature = "avif")]
fn as_avif(picture: &DynamicImage) -> Result<Vec<u8>> {
    const QUALITY: u8 = 60;
    /// 1 is slowest, 10 quickest.
    const SPEED: u8 = 10;
    let mut out = Vec::new();
    let encoder = image::codecs::avif::AvifEncoder::new_with_speed_quality(&mut out, SPEED, QUALITY);
    picture.write_with_encoder(encoder.with_num_threads(Some(1))).map_err(Error::internal)?;
    Ok(out)
}

#[cfg(not(feature = "avif"))]
fn as_avif(_: &DynamicImage) -> Result<Vec<u8>> {
    Err(Error::internal("this build cannot write AVIF"))
}

fn as_webp(picture: &DynamicImage, quality: f32) -> Result<Vec<u8>> {
    let pixels = picture.to_rgba8();
    let encoder = webp::Encoder::from_rgba(&pixels, pixels.width(), pixels.height());
    let written = encoder.encode_simple(false, quality);
    written.map(|bytes| bytes.to_vec()).map_err(|error| Error::internal(format!("WebP: {error:?}")))
}

/// Over white, because that is what most see through a transparent picture.
fn average(pixels: &RgbaImage) -> String {
    let mut sums = [0_u64; 3];
    for pixel in pixels.pixels() {
        let [colors @ .., alpha] = pixel.0.map(u64::from);
        for (sum, color) in sums.iter_mut().zip(colors) {
            *sum += (color * alpha + 255 * (255 - alpha)) / 255;
        }
    }
    let count = (u64::from(pixels.width()) * u64::from(pixels.height())).max(1);
    let [r, g, b] = sums.map(|sum| sum / count);
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn refused(error: ImageError) -> Error {
    match error {
        ImageError::Limits(_) => too_many(),
        _ => Error::invalid("/content", "broken", "the picture is damaged or incomplete"),
    }
}

fn too_many() -> Error {
    Error::invalid("/content", "too_many_pixels", "a picture may have at most 50 million pixels")
}
