use std::io::Cursor;

use contracts::product::Image;
use image::{
    DynamicImage, GenericImageView, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Rgb, RgbImage,
    codecs::jpeg::JpegEncoder,
};

use super::*;

/// A camera's picture: 2000 x 1500, red over blue, said to lie on its right side, with the place it was taken at.
fn photo() -> Blob {
    let pixels =
        RgbImage::from_fn(2000, 1500, |_, y| Rgb(if y < 750 { [220, 20, 20] } else { [20, 20, 220] }));
    let mut exif = b"MM\0*\0\0\0\x08\0\x02".to_vec();
    // Orientation: turn by 90 degrees. The tag of the place leads to a directory of no entries.
    exif.extend(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\x88\x25\0\x04\0\0\0\x01\0\0\0\x26\0\0\0\0\0\0\0\0\0\0");
    let mut out = Vec::new();
    let mut encoder = JpegEncoder::new(&mut out);
    encoder.set_exif_metadata(exif).unwrap();
    pixels.write_with_encoder(encoder).unwrap();
    Blob(out.into())
}

/// A picture without anything beside it.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let pixels = DynamicImage::ImageRgb8(RgbImage::from_pixel(width, height, Rgb([10, 120, 200])));
    pixels.write_to(&mut Cursor::new(&mut out), ImageFormat::Png).unwrap();
    out
}

/// The same, saying that it has 50,000 x 50,000 pixels.
fn bomb() -> Vec<u8> {
    let mut png = png(1, 1);
    png[16..24].copy_from_slice(&[50_000_u32.to_be_bytes(), 50_000_u32.to_be_bytes()].concat());
    let check = png[12..29].iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    });
    png[29..33].copy_from_slice(&(!check).to_be_bytes());
    png
}

fn upload(content: impl Into<Vec<u8>>) -> NewImage {
    NewImage { content: Blob(content.into().into()), alt: String::new(), options: Default::default() }
}

impl Shop {
    async fn picture(&self, product: ProductId) -> Image {
        self.products().find(product).await.unwrap().images.pop().unwrap()
    }

    async fn decoded(&self, file: &str) -> DynamicImage {
        image::load_from_memory(&self.products().media(file.into()).await.unwrap().content.0).unwrap()
    }

    fn files(&self) -> Vec<String> {
        let list = |dir: &str| std::fs::read_dir(self.dir.path().join(dir)).unwrap();
        let names = list("media").chain(list("media/forms")).map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names.retain(|name| name != "forms");
        names
    }
}

#[tokio::test]
async fn a_photo_comes_out_upright_without_its_place_and_in_five_widths() {
    let shop = Shop::open().await;
    let (product, _) = shop.simple("A", 1).await;
    let product = shop.products().add_image(product.id, upload(&*photo().0)).await.unwrap();
    let before = &product.images[0];
    assert_eq!((before.width, before.height, before.widths.len()), (1500, 2000, 0));
    let kept = shop.products().media(before.file.clone()).await.unwrap();
    let reader = ImageReader::with_format(Cursor::new(&kept.content.0[..]), ImageFormat::Jpeg);
    assert_eq!(reader.into_decoder().unwrap().exif_metadata().unwrap(), None);
    assert!(!kept.content.0.windows(4).any(|bytes| bytes == b"Exif"));

    assert_eq!(shop.service.pictures.make_due().await.unwrap(), 1);
    let after = shop.picture(product.id).await;
    assert_eq!(after.widths, [240, 480, 720, 960, 1440]);
    assert!(after.color.is_some() && !after.avif);
    for (width, height) in [(240, 320), (1440, 1920)] {
        let form = shop.decoded(&Image::form(&after.file, width, "webp")).await;
        assert_eq!(form.dimensions(), (width, height));
        let [left, right] = [width / 8, width * 7 / 8].map(|x| form.get_pixel(x, height / 2).0);
        assert!(left[2] > 150 && left[0] < 100, "what was below is on the left: {left:?}");
        assert!(right[0] > 150 && right[2] < 100, "what was above is on the right: {right:?}");
    }
    assert_eq!(shop.service.pictures.make_due().await.unwrap(), 0);
}

#[tokio::test]
async fn what_stands_behind_the_pixels_is_removed_too() {
    let shop = Shop::open().await;
    let (product, _) = shop.simple("A", 1).await;
    let mut tagged = png(300, 200);
    tagged.extend(b"\0\0\0\x08tEXtGPS\x0052 13\0\0\0\0");
    let with = shop.products().add_image(product.id, upload(tagged)).await.unwrap();
    let kept = shop.products().media(with.images[0].file.clone()).await.unwrap();
    assert!(!kept.content.0.windows(4).any(|bytes| bytes == b"tEXt"));
    assert_eq!(shop.decoded(&with.images[0].file).await.dimensions(), (300, 200));
}

#[tokio::test]
async fn what_is_no_whole_picture_of_a_sensible_size_is_refused() {
    let shop = Shop::open().await;
    let (product, _) = shop.simple("A", 1).await;
    let whole = png(300, 300);
    let truncated = &whole[..whole.len() / 2];
    for (content, code) in
        [(b"just a text".as_slice(), "media_type"), (truncated, "broken"), (&bomb(), "too_many_pixels")]
    {
        let error = shop.products().add_image(product.id, upload(content)).await.unwrap_err();
        assert_eq!((error.kind, error.code.as_ref()), (shared::Kind::Invalid, code));
    }
    let error = shop.products().store_media("bomb.png".into(), Blob(bomb().into())).await.unwrap_err();
    assert_eq!(error.code, "too_many_pixels");
    assert!(shop.files().is_empty());
}

#[tokio::test]
async fn a_crash_between_an_upload_and_its_forms_loses_nothing() {
    let shop = Shop::open().await;
    let (product, _) = shop.simple("A", 1).await;
    shop.products().add_image(product.id, upload(png(500, 400))).await.unwrap();
    // One worker takes it and dies. One picture's file was written, and nobody got to know.
    let now = shop.clock.now();
    let until = now.after(std::time::Duration::from_secs(600));
    assert_eq!(shop.service.pictures.gallery().claim(now, until, 16).await.unwrap().len(), 1);
    std::fs::write(shop.dir.path().join("media/unknown.png"), png(250, 250)).unwrap();

    let shop = shop.restarted(None).await;
    shop.clock.advance(std::time::Duration::from_secs(601));
    shop.service.pictures.adopt().await.unwrap();
    assert_eq!(shop.service.pictures.make_due().await.unwrap(), 2);
    assert_eq!(shop.picture(product.id).await.widths, [240, 480]);
    assert_eq!(shop.decoded("unknown-png-240.webp").await.width(), 240);
}

#[tokio::test]
async fn the_same_picture_uploaded_at_once_is_one_set_of_files() {
    let shop = Shop::open().await;
    let (product, _) = shop.simple("A", 1).await;
    let uploads = (0..4).map(|_| shop.products().add_image(product.id, upload(png(500, 400))));
    for uploaded in futures::future::join_all(uploads).await {
        uploaded.unwrap();
    }
    assert_eq!(shop.service.pictures.make_due().await.unwrap(), 1);
    assert_eq!(shop.products().find(product.id).await.unwrap().images.len(), 1);
    let file = shop.picture(product.id).await.file;
    let mut expected = vec![Image::form(&file, 240, "webp"), Image::form(&file, 480, "webp"), file];
    expected.sort();
    assert_eq!(shop.files(), expected);
}

#[tokio::test]
async fn a_picture_that_is_replaced_gets_new_forms() {
    let shop = Shop::open().await;
    let store = |content: Vec<u8>| shop.products().store_media("a.png".into(), Blob(content.into()));
    store(png(500, 400)).await.unwrap();
    shop.service.pictures.make_due().await.unwrap();
    store(png(500, 400)).await.unwrap();
    assert_eq!(shop.service.pictures.make_due().await.unwrap(), 0, "the same content is no new picture");
    store(png(250, 400)).await.unwrap();
    assert_eq!(shop.service.pictures.make_due().await.unwrap(), 1);
    let mut image = Image { file: "a.png".into(), ..Image::default() };
    shop.service.pictures.dress(vec![&mut image]).await.unwrap();
    assert_eq!(image.widths, [240]);
}
