# Products
product-add = Add product
product-new = New product
products-search = Title, address or SKU
products-empty = Your products will be here.
products-none-found = No product matches.
every-category = Every category
no-categories = There are no categories yet.
choose-all = Choose all
choose-product = Choose { $title }
variants-count = { $count ->
    [one] { $count } variant
   *[other] { $count } variants
}
not-counted = not counted
status-draft = Draft
status-published = Published
status-archived = Archived
bulk-title = Chosen products
bulk-publish = Publish
bulk-draft = To drafts
bulk-archive = Archive
bulk-tag = Add tag
bulk-category = Add to category
bulk-percent = Change in percent
bulk-price = Change prices
bulk-none = Choose products first.
bulk-value = Enter what is to be added or changed.
bulk-done = { $count ->
    [one] { $count } product changed.
   *[other] { $count } products changed.
}
bulk-failed = { $done } changed, { $failed } could not be changed.
undone = That has been taken back.
page-next = Next
product-details = Details
product-media = Pictures
product-options = Options
product-variants = Variants and prices
product-seo = In search engines
product-facts = Facts and classes
product-created = The product is there.
product-status-now = The product is now: { $status }.
saved = Saved.
unsaved = Not saved yet
discard-changes = Discard
view-in-shop = View in shop
edit-product = Product
created = Created
changed = Changed
subtitle-hint = One line for lists, such as the material.
description-hint = Plain text with blank lines between paragraphs, or HTML.
pictures-add = Add pictures
pictures-hint = JPEG, PNG, WebP or GIF, at most 8 MB each
pictures-upload = Upload
picture-up = Move picture { $n } up
picture-down = Move picture { $n } down
picture-remove = Remove picture { $n }
picture-removed = The picture was removed.
every-variant = All variants
options-hint = Values with commas between them. A colour may follow its name, such as #c4532d. New values become variants when you save.
option-example = Colour
values-example = Sage #8a9a7b, Terracotta #c4532d
variant-remove = Remove variant { $sku }
seo-title-hint = Empty: the title.
seo-description-hint = Empty: the subtitle. About 150 characters are shown.
slug-hint = Lower-case letters, digits and hyphens. The old address keeps working.
tags-hint = With commas between them.
attributes-hint = One on each line, such as Material: Stoneware
tax-class-hint = Such as standard or reduced
shipping-class-hint = Such as parcel or bulky

# A conflict
conflict-title = Somebody else has changed this meanwhile
conflict-body = Nothing is lost: the form still holds what you entered. Save again to replace what is saved now.
conflict-field = Field
conflict-theirs = Saved now
conflict-yours = Yours
conflict-reload = Discard mine and show what is saved

# Fields
label-product = Product
label-status = Status
label-visible = Who sees it
label-stock = Stock
label-price = Price
label-was = Before
label-category = Category
label-title = Title
label-subtitle = Subtitle
label-description = Description
label-brand = Brand
label-slug = Address
label-tag = Tag
label-tags = Tags
label-attributes = Facts
label-tax-class = Tax class
label-shipping-class = Shipping class
label-seo-title = Title in search engines
label-seo-description = Description in search engines
label-option = Option
label-values = Values
label-file = Picture
label-alt = What it shows
label-shows = For
label-id = Variant
label-variant = Variant
label-sku = SKU
label-barcode = Barcode
label-weight = Weight in g
label-tracked = Counted
label-drop = Remove

# What can be wrong
error-fact-line = Write each line as Name: value.
error-sku-taken = This SKU belongs to another product.
error-slug-taken = This address belongs to something else.
error-slug = Only lower-case letters, digits and single hyphens.
error-duplicate = That is there twice.
error-duplicate-options = Two variants have the same options.
error-too-many = That is too many.
error-colour = Write colours as #c4532d.
error-class = A short word in lower case.
error-media-type = That is not a picture that can be used.
error-too-large = That is too large.
error-unknown-category = This category is not there any more.
