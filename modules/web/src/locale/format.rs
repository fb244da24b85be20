//! Numbers, prices and dates as a language writes them.

use std::borrow::Borrow;

use chrono::{Datelike, NaiveDate, TimeZone as _, Timelike};
use chrono_tz::Tz;
use icu_calendar::Gregorian;
use icu_datetime::{
    FixedCalendarDateTimeFormatter, NoCalendarFormatter,
    fieldsets::{MD, MDE, T, YMD},
    input::{Date, Time as ClockTime},
};
use icu_decimal::{DecimalFormatter, input::Decimal};
use shared::{Money, Time};

use super::Locale;

type DateFormatter<F> = FixedCalendarDateTimeFormatter<Gregorian, F>;

/// The formatters of one language and time zone.
pub struct Formats {
    locale: Locale,
    zone: Tz,
    decimal: DecimalFormatter,
    day: DateFormatter<YMD>,
    short_day: DateFormatter<YMD>,
    weekday: DateFormatter<MDE>,
    month_day: DateFormatter<MD>,
    clock: NoCalendarFormatter<T>,
}

impl Formats {
    /// The data of both languages is compiled in.
    pub fn new(locale: Locale, zone: Tz) -> Self {
        // English dates are written the European way, day first.
        let name = match locale {
            Locale::En => "en-GB",
            Locale::De => "de-DE",
        };
        let icu: icu_locale_core::Locale = name.parse().expect("the names are valid");
        let there = "the data is compiled in";
        Self {
            locale,
            zone,
            decimal: DecimalFormatter::try_new((&icu).into(), Default::default()).expect(there),
            day: DateFormatter::try_new((&icu).into(), YMD::long()).expect(there),
            short_day: DateFormatter::try_new((&icu).into(), YMD::medium()).expect(there),
            weekday: DateFormatter::try_new((&icu).into(), MDE::long()).expect(there),
            month_day: DateFormatter::try_new((&icu).into(), MD::medium()).expect(there),
            clock: NoCalendarFormatter::try_new((&icu).into(), T::hm()).expect(there),
        }
    }

    /// `1,234` or `1.234`.
    pub fn number(&self, number: i64) -> String {
        self.decimal.format(&Decimal::from(number)).to_string()
    }

    /// `4.7` or `4,7`: one place after the separator.
    pub fn tenths(&self, number: impl Borrow<f64>) -> String {
        self.scaled((number.borrow() * 10.0).round() as i64, 1)
    }

    /// `€1,234.50` or `1.234,50 €`.
    pub fn money(&self, money: Money) -> String {
        let places = i16::try_from(money.currency.exponent()).unwrap_or(2);
        self.with_symbol(money, self.scaled(money.amount.abs(), places))
    }

    /// As [`Formats::money`], without the places after the separator where they are all zero.
    pub fn price(&self, money: Money) -> String {
        let whole = 10_i64.pow(money.currency.exponent());
        if money.amount % whole != 0 {
            return self.money(money);
        }
        self.with_symbol(money, self.scaled(money.amount.abs() / whole, 0))
    }

    /// `€`, or the code where there is no symbol of its own.
    pub fn symbol(&self, currency: shared::Currency) -> &'static str {
        match currency.code() {
            "EUR" => "€",
            "GBP" => "£",
            "USD" => "$",
            "JPY" => "¥",
            code => code,
        }
    }

    fn with_symbol(&self, money: Money, number: String) -> String {
        let symbol = self.symbol(money.currency);
        let minus = if money.amount < 0 { "−" } else { "" };
        match self.locale {
            Locale::En if symbol.len() == 3 && symbol != "€" => format!("{minus}{symbol}\u{a0}{number}"),
            Locale::En => format!("{minus}{symbol}{number}"),
            Locale::De => format!("{minus}{number}\u{a0}{symbol}"),
        }
    }

    fn scaled(&self, number: i64, places: i16) -> String {
        let mut decimal = Decimal::from(number);
        decimal.multiply_pow10(-places);
        self.decimal.format(&decimal).to_string()
    }

    /// `26 November 2026`.
    pub fn day(&self, time: Time) -> String {
        self.day.format(&date(self.local(time).date_naive())).to_string()
    }

    /// `26 Nov 2026`.
    pub fn short_day(&self, time: Time) -> String {
        self.short_day.format(&date(self.local(time).date_naive())).to_string()
    }

    /// `26 Nov 2026, 09:14`.
    pub fn moment(&self, time: Time) -> String {
        format!("{}, {}", self.short_day(time), self.clock(time))
    }

    /// `09:14`.
    pub fn clock(&self, time: Time) -> String {
        let local = self.local(time);
        let clock = ClockTime::try_new(local.hour() as u8, local.minute() as u8, 0, 0)
            .unwrap_or(ClockTime::start_of_day());
        self.clock.format(&clock).to_string()
    }

    /// `Thursday 26 November`, from `2026-11-26`; the text itself if it is no date.
    pub fn weekday(&self, day: &str) -> String {
        match day.parse::<NaiveDate>() {
            Ok(day) => self.weekday.format(&date(day)).to_string(),
            Err(_) => day.to_owned(),
        }
    }

    /// `26 Nov`.
    pub fn month_day(&self, day: NaiveDate) -> String {
        self.month_day.format(&date(day)).to_string()
    }

    /// The day that it is at the shop.
    pub fn local_date(&self, time: Time) -> NaiveDate {
        self.local(time).date_naive()
    }

    /// When a day begins at the shop.
    pub fn start_of(&self, day: NaiveDate) -> Time {
        let midnight = day.and_time(chrono::NaiveTime::MIN);
        let start = self.zone.from_local_datetime(&midnight).earliest();
        Time::new(start.map_or_else(|| midnight.and_utc(), |start| start.to_utc()))
    }

    fn local(&self, time: Time) -> chrono::DateTime<Tz> {
        time.utc().with_timezone(&self.zone)
    }
}

fn date(day: NaiveDate) -> Date<Gregorian> {
    Date::try_new_gregorian(day.year(), day.month() as u8, day.day() as u8).expect("chrono's dates are dates")
}

#[cfg(test)]
mod tests {
    use shared::Currency;

    use super::*;

    fn both<T>(ask: impl Fn(&Formats) -> T) -> (T, T) {
        (
            ask(&Formats::new(Locale::En, Tz::Europe__Berlin)),
            ask(&Formats::new(Locale::De, Tz::Europe__Berlin)),
        )
    }

    fn euros(amount: i64) -> Money {
        Money { amount, currency: Currency::EUR }
    }

    #[test]
    fn money_is_written_as_the_language_does() {
        assert_eq!(both(|f| f.money(euros(123_450))), ("€1,234.50".into(), "1.234,50\u{a0}€".into()));
        assert_eq!(both(|f| f.money(euros(-5))), ("−€0.05".into(), "−0,05\u{a0}€".into()));
        assert_eq!(both(|f| f.price(euros(4600))), ("€46".into(), "46\u{a0}€".into()));
        assert_eq!(both(|f| f.price(euros(4650))), ("€46.50".into(), "46,50\u{a0}€".into()));
        let yen = Money { amount: 1500, currency: "JPY".parse().unwrap() };
        assert_eq!(both(|f| f.money(yen)), ("¥1,500".into(), "1.500\u{a0}¥".into()));
        let francs = Money { amount: 1500, currency: "CHF".parse().unwrap() };
        assert_eq!(both(|f| f.money(francs)), ("CHF\u{a0}15.00".into(), "15,00\u{a0}CHF".into()));
    }

    #[test]
    fn dates_are_the_shops_and_the_languages() {
        // 23:30 in London is the next day in Berlin.
        let time = Time::from_micros(1_795_735_800_000_000);
        assert_eq!(both(|f| f.day(time)), ("27 November 2026".into(), "27. November 2026".into()));
        assert_eq!(both(|f| f.clock(time)), ("00:30".into(), "00:30".into()));
        let (english, german) = both(|f| f.weekday("2026-11-26"));
        assert_eq!((english.as_str(), german.as_str()), ("Thursday 26 November", "Donnerstag, 26. November"));
        assert_eq!(both(|f| f.weekday("soon")), ("soon".into(), "soon".into()));
    }

    #[test]
    fn a_day_begins_at_the_shops_midnight() {
        let formats = Formats::new(Locale::En, Tz::Europe__Berlin);
        let start = formats.start_of("2026-07-01".parse().unwrap());
        assert_eq!(start.to_string(), "2026-06-30T22:00:00.000000Z");
    }
}
