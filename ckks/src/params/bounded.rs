//! Lists that are bounded while they are read.

use core::{fmt, marker::PhantomData};

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// Deserializes a list of at most `MOST` elements and stops at the first one too many, so that a hostile list costs no
/// more memory than a legal one.
pub(crate) fn at_most<'de, const MOST: usize, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct AtMost<T, const MOST: usize>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for AtMost<T, MOST> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {MOST} elements")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut elements = Vec::with_capacity(list.size_hint().unwrap_or(0).min(MOST));
            while let Some(element) = list.next_element()? {
                if elements.len() == MOST {
                    return Err(A::Error::invalid_length(MOST + 1, &self));
                }
                elements.push(element);
            }
            Ok(elements)
        }
    }

    deserializer.deserialize_seq(AtMost::<T, MOST>(PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct List(#[serde(deserialize_with = "at_most::<3, _, _>")] Vec<u16>);

    #[test]
    fn longer_lists_are_refused() {
        for len in 0..6 {
            let list = List(vec![300; len]);
            let bytes = postcard::to_stdvec(&list).unwrap();
            let json = serde_json::to_string(&list).unwrap();
            let read: Result<List, _> = postcard::from_bytes(&bytes);
            assert_eq!(read.is_ok(), len <= 3);
            match serde_json::from_str::<List>(&json) {
                Ok(same) => assert!(same == list && len <= 3),
                Err(error) => {
                    assert!(
                        len > 3 && error.to_string().contains("at most 3"),
                        "{error}"
                    );
                }
            }
        }
    }
}
