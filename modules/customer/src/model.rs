//! Rules without a database: passwords, roles, how long a session lives.

use std::time::Duration;

use contracts::customer::Permission;
use shared::{Error, Result, Time};
use unicode_normalization::UnicodeNormalization;

/// The role that may do everything and never dies out.
pub const OWNER: &str = "owner";

/// Passwords of 8 or more characters that lists of stolen ones begin with, in lower case.
const COMMON: &[&str] = &[
    "password",
    "password1",
    "password12",
    "password123",
    "password1234",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "passwort",
    "passwort1",
    "12345678",
    "123456789",
    "1234567890",
    "0123456789",
    "123123123",
    "1231231234",
    "11111111",
    "111111111",
    "1111111111",
    "00000000",
    "000000000",
    "0000000000",
    "22222222",
    "88888888",
    "99999999",
    "12341234",
    "12344321",
    "11223344",
    "1122334455",
    "87654321",
    "987654321",
    "9876543210",
    "123454321",
    "147258369",
    "159753258",
    "741852963",
    "789456123",
    "123456abc",
    "1234abcd",
    "abcd1234",
    "abc12345",
    "abcdefgh",
    "abcdefghi",
    "a1234567",
    "a12345678",
    "a123456789",
    "aa123456",
    "aa12345678",
    "123456aa",
    "12345qwert",
    "123qweasd",
    "123qweasdzxc",
    "1q2w3e4r",
    "1q2w3e4r5t",
    "1q2w3e4r5t6y",
    "1qaz2wsx",
    "1qaz2wsx3edc",
    "1qazxsw2",
    "zaq12wsx",
    "zaq1zaq1",
    "q1w2e3r4",
    "q1w2e3r4t5",
    "qwer1234",
    "qwert123",
    "qwerty12",
    "qwerty123",
    "qwerty1234",
    "qwertyui",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjk",
    "asdfghjkl",
    "asdf1234",
    "asdfasdf",
    "qweasdzxc",
    "qazwsxedc",
    "zxcvbnm1",
    "zxcvbnm123",
    "iloveyou",
    "iloveyou1",
    "iloveyou2",
    "ilovegod",
    "sunshine",
    "sunshine1",
    "princess",
    "princess1",
    "football",
    "football1",
    "baseball",
    "baseball1",
    "basketball",
    "superman",
    "superman1",
    "batman123",
    "starwars",
    "pokemon123",
    "michelle",
    "jennifer",
    "jessica1",
    "michael1",
    "charlie1",
    "jonathan",
    "victoria",
    "samantha",
    "benjamin",
    "alexander",
    "elizabeth",
    "computer",
    "internet",
    "whatever",
    "trustno1",
    "welcome1",
    "welcome123",
    "letmein1",
    "letmein123",
    "changeme",
    "changeme123",
    "default1",
    "administrator",
    "admin123",
    "admin1234",
    "admin12345",
    "test1234",
    "testtest",
    "guest123",
    "user1234",
    "root1234",
    "liverpool",
    "chocolate",
    "butterfly",
    "mercedes",
    "corvette",
    "midnight",
    "dragon123",
    "monkey123",
    "master123",
    "shadow123",
    "killer123",
    "freedom1",
    "secret123",
    "summer2024",
    "summer2025",
    "summer2026",
    "winter2024",
    "winter2025",
    "winter2026",
    "google123",
    "facebook",
    "myspace1",
    "blink182",
    "babygirl",
    "babygirl1",
    "einstein",
    "danielle",
    "veronica",
    "marlboro",
    "maverick",
    "bigdaddy",
    "rush2112",
];

/// A password, in the one spelling (NFC) that keyboards disagree about.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    const LENGTH: std::ops::RangeInclusive<usize> = 8..=128;

    /// One that may be set. `Invalid/weak_password` at `/password`.
    pub fn new(text: &str) -> Result<Self> {
        let weak = |detail: &str| Error::invalid("/password", "weak_password", detail);
        let password = Self::attempt(text).ok_or_else(|| weak("a password has 8 to 128 characters"))?;
        let lower = password.0.to_lowercase();
        let first = lower.chars().next();
        if COMMON.contains(&lower.as_str()) || lower.chars().all(|c| Some(c) == first) {
            return Err(weak("this is one of the passwords that attackers try first"));
        }
        Ok(password)
    }

    /// One that somebody tries: `None` if no account can have it, so that nothing needs to be hashed.
    pub fn attempt(text: &str) -> Option<Self> {
        // A character has at most four bytes, and normalising is work.
        if text.len() > 4 * Self::LENGTH.end() {
            return None;
        }
        let text: String = text.nfc().collect();
        Self::LENGTH.contains(&text.chars().count()).then_some(Self(text))
    }

    /// What is hashed.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// The roles that every shop starts with.
pub fn first_roles() -> [(&'static str, Vec<Permission>); 3] {
    use Permission::*;
    let all = Permission::ALL;
    let manager =
        all.into_iter().filter(|p| !matches!(p, StaffWrite | SettingsWrite | SystemWrite)).collect();
    let support = vec![
        ProductsRead,
        InventoryRead,
        OrdersRead,
        OrdersShip,
        CustomersRead,
        PromotionsRead,
        ReviewsRead,
        ReviewsWrite,
    ];
    [(OWNER, all.to_vec()), ("manager", manager), ("support", support)]
}

/// As it is stored: `orders:read`.
pub fn permission_name(permission: Permission) -> String {
    match serde_json::to_value(permission) {
        Ok(serde_json::Value::String(name)) => name,
        _ => unreachable!("a permission is a string in JSON"),
    }
}

/// Sorted. Names that this version does not know permit nothing.
pub fn permissions(names: impl IntoIterator<Item = String>) -> Vec<Permission> {
    let known = names.into_iter().filter_map(|name| serde_json::from_value(name.into()).ok());
    let mut permissions: Vec<Permission> = known.collect();
    permissions.sort();
    permissions.dedup();
    permissions
}

/// When a session ends by itself: at its last day, or because nobody used it.
pub fn session_end(expires_at: Time, last_used_at: Time, idle: Duration) -> Time {
    expires_at.min(last_used_at.after(idle))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_password_has_8_to_128_characters_and_is_not_a_common_one() {
        for good in [
            "bodega-owner",
            "пароль-для-магазина",
            &"ab".repeat(64),
            "🐈🐕🐈🐕🐈🐕🐈🐕",
            "x".repeat(7).as_str(),
        ] {
            assert_eq!(Password::new(good).is_ok(), good.len() > 7, "{good}");
        }
        for weak in
            ["", "1234567", "password", "PassWord123", "aaaaaaaaaaaa", &"ab".repeat(65), &"é".repeat(129)]
        {
            let error = Password::new(weak).err().expect("weak");
            assert_eq!(
                (error.code.as_ref(), error.fields[0].pointer.as_str()),
                ("weak_password", "/password")
            );
        }
    }

    #[test]
    fn the_common_passwords_are_long_enough_to_matter_and_lower_case() {
        assert!(COMMON.len() >= 100);
        for password in COMMON {
            assert!(password.len() >= 8 && *password == password.to_lowercase(), "{password}");
        }
    }

    #[test]
    fn one_password_has_one_spelling() {
        let composed = Password::new("caf\u{e9}-caf\u{e9}").unwrap();
        let decomposed = Password::new("cafe\u{301}-cafe\u{301}").unwrap();
        assert_eq!(composed.as_bytes(), decomposed.as_bytes());
    }

    #[test]
    fn support_neither_refunds_nor_sees_settings_and_a_manager_appoints_nobody() {
        let [owner, manager, support] = first_roles();
        assert_eq!(owner.1, Permission::ALL);
        assert!(
            !manager.1.contains(&Permission::StaffWrite) && manager.1.contains(&Permission::OrdersRefund)
        );
        assert!(support.1.contains(&Permission::OrdersShip) && support.1.contains(&Permission::ReviewsWrite));
        for never in [
            Permission::OrdersRefund,
            Permission::SettingsRead,
            Permission::StaffRead,
            Permission::SystemRead,
        ] {
            assert!(!support.1.contains(&never));
        }
    }

    #[test]
    fn a_permission_survives_the_database() {
        let names = Permission::ALL.map(permission_name);
        assert_eq!(names[0], "products:read");
        assert_eq!(permissions(names), Permission::ALL);
        assert!(permissions(["moon:write".to_owned()]).is_empty());
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange_for_a_password(text in "\\PC*") {
            prop_assert_eq!(Password::attempt(&text).is_some(), (8..=128).contains(&text.nfc().count()));
        }

        #[test]
        fn a_session_never_outlives_its_last_day(last in 0i64..1_000_000, end in 0i64..1_000_000, idle in 0u64..1_000) {
            let (last, end) = (Time::from_micros(last), Time::from_micros(end));
            prop_assert!(session_end(end, last, Duration::from_micros(idle)) <= end);
        }
    }
}
