//! gittuf's authorizations: envelopes, and what is in them.

use portcullis::gittuf::authorization::Authorization;
use portcullis::gittuf::envelope::{Envelope, SIGNATURES_MAX, Signed};
use portcullis::ssh::signature::{GIT_NAMESPACE, verify};

use super::{Target, choice, is_plain, outcome, shape};

/// An envelope, or the payload of one, by the first byte.
pub const GITTUF: Target = Target {
    name: "gittuf",
    run: gittuf,
    words: &[
        b"{\"payloadType\":\"application/vnd.gittuf+json\",\"payload\":\"",
        b"\",\"signatures\":[",
        b"{\"keyid\":\"\",\"sig\":\"\"}",
        b"\"extension\":{}",
        b"\"type\":\"https://in-toto.io/Statement/v1\"",
        b"\"predicateType\":\"https://gittuf.dev/reference-authorization/v0.2\"",
        b"\"subject\":[{\"digest\":{\"gitTree\":\"",
        b"\"targetRef\":\"refs/heads/main\"",
        b"\"expires\":\"2026-11-22T21:00:00Z\"",
        b"null",
        b"\\u0022",
        b"[[[[[[[[",
    ],
};

fn gittuf(data: &[u8]) -> u64 {
    let (first, bytes) = choice(data);
    if first % 2 == 0 { envelope(bytes) } else { payload(bytes) }
}

fn envelope(bytes: &[u8]) -> u64 {
    let read = match Envelope::parse(bytes) {
        Ok(read) => read,
        Err(problem) => {
            told(&problem.to_string());
            return outcome(&problem);
        }
    };
    // What is signed has no other reading: the payload behind its length.
    let (signed, payload) = (read.signed_bytes(), read.payload());
    assert!(signed.starts_with(b"DSSEv1 ") && signed.ends_with(payload));
    let head = signed.len() - payload.len();
    assert!(signed[..head].ends_with(format!(" {} ", payload.len()).as_bytes()));
    assert!(read.signatures().len() <= SIGNATURES_MAX);
    let mut armors = 0;
    for signature in read.signatures() {
        if let Signed::Armor(armor) = signature {
            armors += 1;
            let _ = verify(GIT_NAMESPACE, &signed, armor);
        }
    }
    shape(&[read.signatures().len(), armors]) ^ payload_of(payload)
}

fn payload_of(bytes: &[u8]) -> u64 {
    payload(bytes).rotate_left(7)
}

fn payload(bytes: &[u8]) -> u64 {
    match Authorization::parse(bytes) {
        Err(problem) => {
            told(&problem.to_string());
            outcome(&problem)
        }
        Ok(read) => {
            let name = String::from_utf8(read.refname.as_bytes().to_vec()).expect("it was a text");
            let expires =
                read.expires.map(|it| format!(",\"expires\":\"{}\"", it.rfc3339_millis()));
            let text = format!(
                "{{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{{\"digest\":{{\"gitTree\":\"{tree}\"}}}}],\
                 \"predicateType\":\"https://gittuf.dev/reference-authorization/v0.2\",\"predicate\":{{\
                 \"targetRef\":\"{name}\",\"fromID\":\"{from}\",\"targetID\":\"{tree}\"{}}}}}",
                expires.unwrap_or_default(),
                tree = read.tree.hex(),
                from = read.from.hex(),
                name = name.replace('"', "\\\""),
            );
            assert_eq!(Authorization::parse(text.as_bytes()).as_ref(), Ok(&read));
            shape(&[name.len(), usize::from(read.expires.is_some())])
        }
    }
}

fn told(problem: &str) {
    is_plain(problem);
    assert!(problem.len() < 200);
}
