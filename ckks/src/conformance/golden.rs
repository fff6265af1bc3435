//! Recorded hashes. They are the same on every platform; a change of one means that ciphertexts or keys made from a seed
//! have other bytes than before, which the changelog mentions.

/// Set, program, hash of the program's record.
const GOLDEN: &[(&str, &str, &str)] = &[
    (
        "bits39",
        "plaintexts",
        "44d6a1bcc3e5622f19735039072313c96636cdca86f5972bf9cd8a8222f3fe11",
    ),
    (
        "bits39",
        "products",
        "140a8ebf0f7dc54b3559d930ae6b65f79a83e0131f326741278230e7c1edcdb7",
    ),
    (
        "bits39",
        "levels",
        "255d138e36ebf07f4d1c559b0255b046b50f1ab6c7d9217a0c30c1c2ce2ad06c",
    ),
    (
        "bits39",
        "rotations",
        "7c497fe9d47802b94c1f4fd5b9593e0c016613db869c2e8c57b94acfcbae8455",
    ),
    (
        "bits39",
        "circuit",
        "b2f279a8638cdc0a619618b13921f4a8744c93a5f314641f3587773d7e0cee0b",
    ),
    (
        "bits39",
        "keys",
        "6d12e6f549977b31d3291622636f373a933ed894d6b37fbfe3a5754bff96c927",
    ),
    (
        "bits39",
        "encryptions",
        "8dab3023e9925ce66585c72cfa4920cd168a048d8eef07f9d6c01a8e5ea8cf99",
    ),
    (
        "bits39",
        "decryptions",
        "3bcfacbea5e0403c24cb9b6c2629445eec75c0fdf8209f75366a98218dbecbb3",
    ),
    (
        "bits34",
        "plaintexts",
        "88576a564ec3433d7d929c1f1c2d1eee20bcd43c538b7a58fd727342b563566e",
    ),
    (
        "bits34",
        "products",
        "be53d0e4d205bc85da7391f97ef921731c1f63a1e1b349d9638c563f55397414",
    ),
    (
        "bits34",
        "levels",
        "69a4b87e92a06b55e21b07eae85ca56698c3d5afed396c11f32e21b389d06830",
    ),
    (
        "bits34",
        "rotations",
        "b17fadb4958b12a25d240e80cdaad5325c2675902f0c7f800654ae85a7172220",
    ),
    (
        "bits34",
        "circuit",
        "d4eb278d464a359b492d75d9148ca3efa3b053bae9087197e852a45b26fb0dcf",
    ),
    (
        "bits34",
        "keys",
        "5797c36a087462f610d091b34b6fa1a08aef72f327a9a547d80ec55d73b02e75",
    ),
    (
        "bits34",
        "encryptions",
        "2ae0aa648cb0f01e6fa69a42b32f9ce61b012cc07dd7036d7961555bce3dfcbe",
    ),
    (
        "bits34",
        "decryptions",
        "77225cbd8304d359ccbc974320a2570080f8ec0bc36dede62dbc225050f28142",
    ),
    (
        "one_limb_digits",
        "plaintexts",
        "1c2d812102d7ef87beb40da4a4c98e91f5c3adf81edb4d6bcda4f237bf97dd78",
    ),
    (
        "one_limb_digits",
        "products",
        "cdac8e41a36397413b52e01e3f6a1fc74729d28218471c1f219b99fe78f1883e",
    ),
    (
        "one_limb_digits",
        "levels",
        "f22f044ef667cb3a4d9c09580eee06d24e1a3e2102759a835893f59b6a1a3463",
    ),
    (
        "one_limb_digits",
        "rotations",
        "b0c263811fffb7ab4b81da66e996ebb824f002f2fb8b695be723605b2840e13d",
    ),
    (
        "one_limb_digits",
        "circuit",
        "4b6b2a901165f2a92ad80759af28a9d84cbdb7d7909bac66197884fba153f69a",
    ),
    (
        "one_limb_digits",
        "keys",
        "827f183d4678e3af6f9bde288f9b8b17e7cdcfefcc0c30be2a66db0232fefa27",
    ),
    (
        "one_limb_digits",
        "encryptions",
        "88be8db8d3c347b6b932cbfec3e2c5bd160dd728664306c4d3030af9f8b41d7f",
    ),
    (
        "one_limb_digits",
        "decryptions",
        "5b9a52dd937188350b94d50897ea7cc692d5ae064e48b0a73b78f16373acfcf8",
    ),
    (
        "secure",
        "plaintexts",
        "3e56d808294acea43e9f5d9f24694280cb121248c12a0d2bc5d03ab99f36c87f",
    ),
    (
        "secure",
        "products",
        "4b29d6954948f6894111945fdea2e1afdd4dfb23a502c35952044a481d058581",
    ),
    (
        "secure",
        "levels",
        "355aeefca39fbaff20e0c921d0a833ceb8dcddb5f57b972ed044918de7b26c44",
    ),
    (
        "secure",
        "rotations",
        "3d826071120c4e8fba13e8539c5c81919d55031d2e99cdad5ddb82492c11fc62",
    ),
    (
        "secure",
        "circuit",
        "44006d651e2a5f21510aa916da4d36908e12f69c89e44f3604f3eb72ba38e0b9",
    ),
    (
        "secure",
        "keys",
        "cf7257f47a5abeed99ae2ae1633a06c3f71f96365bff4f3797c39c046697b4fa",
    ),
    (
        "secure",
        "encryptions",
        "8e6611ed470d73deeaf10d1c5f38383fd309075faf1253db78b7866e94341800",
    ),
    (
        "secure",
        "decryptions",
        "2d009c5901ecabd9ad3c5ddaedc88c060b85bebfa6d611a574cba0666914a76b",
    ),
    (
        "bootstrapping",
        "bootstraps",
        "73668f2ac987a522f49b011362ff5fb5145ed5a759261777bd04ae301ddddef6",
    ),
    (
        "bootstrapping",
        "sparse_keys",
        "be522c2e23477d29de6b489a6a802066f1d0c6cffa50eedf7c965873cc4127a7",
    ),
];

/// The recorded hash of a program on a set.
pub(super) fn digest(set: &str, program: &str) -> Option<&'static str> {
    GOLDEN
        .iter()
        .find(|(s, p, _)| (*s, *p) == (set, program))
        .map(|(_, _, hash)| *hash)
}

#[cfg(test)]
mod tests {
    use crate::conformance::sets;

    /// If this fails, the parameter builder chooses otherwise than before, and every recorded hash changes for that reason alone.
    #[test]
    fn the_hashes_belong_to_these_parameters() {
        for (set, fingerprint) in [
            (
                sets::bits39(),
                "734d1ccd631f57cc398352e49d7a06f4ad01b017a0d396525ab2c5be9a490e79",
            ),
            (
                sets::bits34(),
                "fe8862d00e9dc3c47f38e528391c78180d6681e7aececb80a1be829647a0f843",
            ),
            (
                sets::one_limb_digits(),
                "d2bb9e7c9ded7731470bbdb7cd7e444d4dcb5338a6e2c13d776985656b317871",
            ),
            (
                sets::secure(),
                "b082e9cbb64f12b26e6e629046fb62f3102306339d2c82c7fee72f5f36ba962f",
            ),
            (sets::bootstrapping(), "0"),
        ] {
            let found = blake3::Hash::from_bytes(set.params().fingerprint()).to_hex();
            assert_eq!(found.as_str(), fingerprint, "{}", set.name());
        }
    }
}
