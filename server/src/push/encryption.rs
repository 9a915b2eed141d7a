//! Message encryption for Web Push: RFC 8291, with the content coding `aes128gcm` of RFC 8188.

use super::registration::{AUTH_SECRET_BYTES, PUBLIC_KEY_BYTES};
use ring::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral},
    error::Unspecified,
    hkdf::{HKDF_SHA256, KeyType, Salt},
    rand::{SecureRandom, SystemRandom},
};

const SALT_BYTES: usize = 16;
const KEY_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;
/// The size of a record (RFC 8188 section 2.1); everything goes into one.
const RECORD_BYTES: u32 = 4096;
/// Ends the last record's plaintext (RFC 8188 section 2).
const LAST_RECORD: u8 = 2;

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive<const N: usize>(salt: &[u8], secret: &[u8], info: &[&[u8]]) -> Result<[u8; N], Unspecified> {
    let mut out = [0; N];
    Salt::new(HKDF_SHA256, salt).extract(secret).expand(info, Length(N))?.fill(&mut out)?;
    Ok(out)
}

/// Content encryption key and nonce (RFC 8291 section 3.4) from what both sides know: the shared secret of the key agreement, the
/// subscription's authentication secret and public key, the sender's public key, and the salt of this message.
pub(crate) fn key_and_nonce(
    shared: &[u8],
    auth: &[u8],
    receiver: &[u8],
    sender: &[u8],
    salt: &[u8],
) -> Result<([u8; KEY_BYTES], [u8; NONCE_BYTES]), Unspecified> {
    let input: [u8; 32] = derive(auth, shared, &[b"WebPush: info\0", receiver, sender])?;
    let key = derive(salt, &input, &[b"Content-Encoding: aes128gcm\0"])?;
    Ok((key, derive(salt, &input, &[b"Content-Encoding: nonce\0"])?))
}

/// The body of a push message for this subscription. Fails if its public key is no point of the curve.
pub(crate) fn encrypt(public_key: &[u8], auth: &[u8], text: &[u8]) -> Result<Vec<u8>, Unspecified> {
    let random = SystemRandom::new();
    let own = EphemeralPrivateKey::generate(&ECDH_P256, &random)?;
    let own_public = own.compute_public_key()?;
    let own_public = own_public.as_ref();
    let mut salt = [0; SALT_BYTES];
    random.fill(&mut salt)?;
    debug_assert_eq!((public_key.len(), auth.len()), (PUBLIC_KEY_BYTES, AUTH_SECRET_BYTES));
    let derived = agree_ephemeral(own, &UnparsedPublicKey::new(&ECDH_P256, public_key), |shared| {
        key_and_nonce(shared, auth, public_key, own_public, &salt)
    });
    let (key, nonce) = derived??;
    seal(&key, nonce, &salt, own_public, text)
}

/// Header and the only record (RFC 8188 section 2).
fn seal(
    key: &[u8; KEY_BYTES],
    nonce: [u8; NONCE_BYTES],
    salt: &[u8],
    sender: &[u8],
    text: &[u8],
) -> Result<Vec<u8>, Unspecified> {
    let mut record = text.to_vec();
    record.push(LAST_RECORD);
    if record.len() + AES_128_GCM.tag_len() > RECORD_BYTES as usize {
        return Err(Unspecified);
    }
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key)?);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record)?;
    let mut body = salt.to_vec();
    body.extend_from_slice(&RECORD_BYTES.to_be_bytes());
    body.push(u8::try_from(sender.len()).map_err(|_| Unspecified)?);
    body.extend_from_slice(sender);
    body.append(&mut record);
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    fn decode(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// The values are those of RFC 8291, section 5 and appendix A.
    #[test]
    fn the_example_of_the_rfc_comes_out_to_the_byte() {
        let receiver =
            decode("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
        let sender = decode("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
        let shared = decode("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
        let (auth, salt) = (decode("BTBZMqHH6r4Tts7J_aSIgg"), decode("DGv6ra1nlYgDCS1FRnbzlw"));
        let (key, nonce) = key_and_nonce(&shared, &auth, &receiver, &sender, &salt).unwrap();
        assert_eq!(
            (key.as_slice(), nonce.as_slice()),
            (&*decode("oIhVW04MRdy2XN9CiKLxTg"), &*decode("4h_95klXJ5E_qnoN"))
        );
        let body = seal(&key, nonce, &salt, &sender, b"When I grow up, I want to be a watermelon").unwrap();
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(URL_SAFE_NO_PAD.encode(body), expected);
    }

    #[test]
    fn a_public_key_off_the_curve_is_refused_and_so_is_what_fits_no_record() {
        let mut point = [1; PUBLIC_KEY_BYTES];
        point[0] = 4;
        assert!(encrypt(&point, &[0; 16], b"x").is_err());
        assert!(seal(&[0; 16], [0; 12], &[0; 16], &point, &[0; 4096]).is_err());
    }
}
