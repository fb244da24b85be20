# Categories
admin-categories = Categories
category-add = Add category
category-new = New category
category-delete = Delete category
category-deleted = { $title } was deleted.
category-root = At the top
category-picture = Picture
category-picture-choose = Choose a picture
category-slug-hint = Empty: made from the title. Lower-case letters, digits and hyphens.
label-order = Order
label-parent-id = Under
move-up = Move { $title } up
move-down = Move { $title } down
error-cycle = A category cannot be below itself.
error-category-not-empty = There is something in it. Move that first.
