# Staff sign in.
admin-sign-in = Staff sign-in

# Navigation
admin = Admin
admin-overview = Overview
admin-orders = Orders
admin-products = Products
admin-inventory = Inventory
admin-customers = Customers
admin-grow = Grow
admin-promotions = Promotions
admin-shop = Shop
admin-shipping = Shipping
admin-taxes = Taxes
admin-staff = Staff
admin-settings = Settings
admin-system = System
admin-more = More
admin-sections = Sections
admin-view-store = View store
admin-command = Search or run a command
admin-keys = Keyboard
sign-out = Sign out
