//! Signed messages as Stripe signs them: `t=<seconds>,v1=<HMAC-SHA-256 of "<t>.<body>" in hexadecimal>`.

use shared::{Error, Kind, Result, Time, signer::Signer};

/// How far the time in a signature may be from ours, in seconds.
pub const TOLERANCE_SECONDS: u64 = 300;

/// The header for `body`, signed now.
pub fn sign(signer: &Signer, body: &[u8], now: Time) -> String {
    let t = now.seconds();
    format!("t={t},v1={}", signer.sign(&signed_bytes(t, body)))
}

/// `Malformed/invalid_signature` unless one of the header's `v1` fits and the time is near. Compares in constant time.
pub fn verify(signer: &Signer, header: &str, body: &[u8], now: Time) -> Result<()> {
    let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
    let t = parts().find(|(name, _)| *name == "t").and_then(|(_, t)| t.parse::<i64>().ok());
    let near = |t: &i64| now.seconds().abs_diff(*t) <= TOLERANCE_SECONDS;
    let t = t
        .filter(near)
        .ok_or_else(|| refused("the signature has no time, or one that is too far from ours"))?;
    let bytes = signed_bytes(t, body);
    let fits = parts().filter(|(name, _)| *name == "v1").any(|(_, mac)| signer.verify(&bytes, mac));
    if fits { Ok(()) } else { Err(refused("the signature does not fit the message")) }
}

/// Why a message is not taken.
pub fn refused(detail: &str) -> Error {
    Error::new(Kind::Malformed, "invalid_signature", detail)
}

fn signed_bytes(t: i64, body: &[u8]) -> Vec<u8> {
    [t.to_string().as_bytes(), b".", body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn a_message_is_taken_only_unchanged_and_in_time() {
        let signer = Signer::new(b"secret");
        let (body, t) = (br#"{"id":1}"#.as_slice(), 1_700_000_000);
        let header = sign(&signer, body, at(t));
        for skew in [-300, 0, 300] {
            assert!(verify(&signer, &header, body, at(t + skew)).is_ok(), "{skew}");
        }
        for skew in [-301, 301, 172_800] {
            assert_eq!(verify(&signer, &header, body, at(t + skew)).unwrap_err().code, "invalid_signature");
        }
        assert!(verify(&signer, &header, br#"{"id": 1}"#, at(t)).is_err());
        assert!(verify(&Signer::new(b"other"), &header, body, at(t)).is_err());
        let later = header.replace(&t.to_string(), &(t + 1).to_string());
        assert!(verify(&signer, &later, body, at(t)).is_err());
        for nonsense in ["", "t=", "t=x,v1=", "v1=00", "t=1700000000", "t=1700000000,v1=zz", ",,,=,"] {
            assert!(verify(&signer, nonsense, body, at(t)).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn a_secret_can_be_rotated_because_one_of_several_signatures_is_enough() {
        let (old, new) = (Signer::new(b"old"), Signer::new(b"new"));
        let (now, body) = (at(1_700_000_000), b"{}".as_slice());
        let [a, b] = [sign(&old, body, now), sign(&new, body, now)];
        let both = format!("{a},{}", b.split_once(',').unwrap().1);
        assert!(verify(&new, &both, body, now).is_ok() && verify(&old, &both, body, now).is_ok());
    }
}
