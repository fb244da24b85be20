# Collections
admin-collections = Collections
collection = Collection
collection-add = Add collection
collection-new = New collection
collection-delete = Delete collection
collection-delete-text = It holds too much to be brought back: it is gone for good. Its products stay.
collection-deleted = { $title } was deleted.
collections-empty = Sets of chosen products, across categories, will be here.
collection-empty = No products are in it yet.
collection-slug-hint = Empty: made from the title. Lower-case letters, digits and hyphens. A former address leads nowhere.
collection-find = Find products to add
collection-found = Products that were found
collection-take = Add
collection-added = Is in it
collection-add-product = Add { $title }
collection-drop = Remove { $title }
collection-sort = Move to these places
collection-rest = { $count ->
    [one] { $count } more product follows these and stays where it is.
   *[other] { $count } more products follow these and stay where they are.
}
label-place = Place
place-of = Place of { $title }
place-hint = Saving moves them too.
error-unknown-product = One of these products is not there any more.
