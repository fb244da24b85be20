//! The navigation of the admin: what the person may open.

use contracts::customer::Permission;

use crate::Page;

/// A page of the navigation.
#[derive(Debug)]
pub struct Entry {
    pub path: &'static str,
    pub icon: &'static str,
    /// The text's key.
    pub label: &'static str,
    /// The heading above it, for the first one of a group.
    pub group: Option<&'static str>,
    /// What opens it.
    permission: Permission,
    /// Has a place in the bar at the bottom of a phone.
    tab: bool,
}

const fn entry(path: &'static str, icon: &'static str, label: &'static str, permission: Permission) -> Entry {
    Entry { path, icon, label, group: None, permission, tab: false }
}

const fn tab(entry: Entry) -> Entry {
    Entry { tab: true, ..entry }
}

const fn group(title: &'static str, entry: Entry) -> Entry {
    Entry { group: Some(title), ..entry }
}

/// Everything, in order.
pub const ENTRIES: &[Entry] = &[
    tab(entry("/admin", "layout-dashboard", "admin-overview", Permission::OrdersRead)),
    tab(entry("/admin/orders", "package", "admin-orders", Permission::OrdersRead)),
    tab(entry("/admin/products", "tag", "admin-products", Permission::ProductsRead)),
    entry("/admin/categories", "folder-tree", "admin-categories", Permission::ProductsRead),
    entry("/admin/collections", "list", "admin-collections", Permission::ProductsRead),
    entry("/admin/inventory", "boxes", "admin-inventory", Permission::InventoryRead),
    tab(entry("/admin/customers", "users", "admin-customers", Permission::CustomersRead)),
    entry("/admin/reviews", "star", "admin-reviews", Permission::ReviewsRead),
    group(
        "admin-grow",
        entry("/admin/promotions", "percent", "admin-promotions", Permission::PromotionsRead),
    ),
    group("admin-shop", entry("/admin/content", "file-text", "admin-content", Permission::SettingsRead)),
    entry("/admin/fields", "layers", "admin-fields", Permission::SettingsRead),
    entry("/admin/settings/shop", "house", "admin-shop-settings", Permission::SettingsRead),
    entry("/admin/shipping", "truck", "admin-shipping", Permission::SettingsRead),
    entry("/admin/taxes", "receipt-text", "admin-taxes", Permission::SettingsRead),
    entry("/admin/staff", "shield", "admin-staff", Permission::StaffRead),
    entry("/admin/settings", "settings", "admin-settings", Permission::SettingsRead),
    entry("/admin/system", "activity", "admin-system", Permission::SystemRead),
];

/// The page that lists all others, for phones.
const MORE: &Entry = &entry("/admin/more", "menu", "admin-more", Permission::OrdersRead);

impl Page {
    /// What the person may open.
    pub fn admin_menu(&self) -> Vec<&'static Entry> {
        ENTRIES.iter().filter(|entry| self.may(&entry.permission)).collect()
    }

    /// The bar at the bottom of a phone.
    pub fn admin_tabs(&self) -> Vec<&'static Entry> {
        let tabs = ENTRIES.iter().filter(|entry| entry.tab && self.may(&entry.permission));
        tabs.chain(std::iter::once(MORE)).collect()
    }

    /// True on the entry's page and those below it that have no entry of their own.
    pub fn at_menu(&self, entry: &Entry) -> bool {
        let closer = |other: &Entry| other.path.len() > entry.path.len() && self.within(other.path);
        match entry.path {
            "/admin" => self.path == "/admin",
            path => self.within(path) && !ENTRIES.iter().any(closer),
        }
    }
}
