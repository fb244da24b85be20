products-count = { $count ->
    [one] { $count } Produkt
   *[other] { $count } Produkte
}
