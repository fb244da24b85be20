products-count = { $count ->
    [one] { $count } product
   *[other] { $count } products
}
