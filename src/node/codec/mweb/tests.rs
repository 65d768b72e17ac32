//! MWEB decoder tests against the kernel ids that real nodes report for the same bytes.

use bitcoin::hex::FromHex;
use proptest::prelude::*;

use super::super::{PegoutProof, decode_block};
use super::*;

fn block(name: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let hex = std::fs::read_to_string(folder.join(name)).expect(name);
    Vec::from_hex(hex.trim()).expect(name)
}

fn listed(name: &str) -> Vec<Pegout> {
    match decode_block(&block(name)).expect(name).pegouts {
        PegoutProof::Listed(pegouts) => pegouts,
        other => panic!("{name}: {other:?}"),
    }
}

fn id(kernel: &str, position: u32) -> PegoutId {
    let kernel = KernelId::from_bytes(FromHex::from_hex(kernel).expect("an id"));
    PegoutId { kernel, position }
}

#[test]
fn kernels_have_the_ids_that_the_node_reports() {
    // `vkern` of tx-mweb-pegout.hex in the mempool, 0.21.5.5.
    let kernel = "c9d000aeb3e8c99e47dcdf00cff62d0725ccc1dcf1dc480fb001e42c24df25b0";
    let [pegout] = &listed("block-mweb-pegout.hex")[..] else { panic!("there is one") };
    assert_eq!(pegout.id, id(kernel, 0));
    let hogex = decode_block(&block("block-mweb-pegout.hex")).expect("a block").txs.pop();
    assert_eq!(hogex.expect("a HogEx").outputs[1], pegout.output);
    // `getblock HASH 2` of 0.21.2.1.
    let expected = [
        "1ae7e128c254764851b21b503251153a627db0aebc1cd507495773b9f1ee5370",
        "3e19eb9d6349ee661343d32f459bc527a329041e45b90cfa113f83bff51ebe4c",
        "aaa72d96a903a9eadcbc36b0294244419298a9ee359709d43c2b5f8fdcd961bd",
        "ee89dd2c7342988dc9be3c0ec9cd00f6132f2ab8ae17d531c7957feb56289666",
    ];
    let ids: Vec<PegoutId> = listed("block-mweb-four-pegouts.hex").iter().map(|p| p.id).collect();
    assert_eq!(ids, expected.map(|kernel| id(kernel, 0)));
    assert_eq!(listed("block-mweb-pegin.hex"), [], "a block without peg-outs");
}

#[test]
fn a_kernel_with_every_field_is_parsed_and_hashed() {
    let var_int = |rest: &mut Vec<u8>| rest.extend([0x80, 0x00]); // 128
    let mut kernel = vec![0x3f];
    (0..2).for_each(|_| var_int(&mut kernel)); // Fee and peg-in.
    kernel.push(2);
    for script in [[0x51], [0x52]] {
        var_int(&mut kernel);
        kernel.push(1);
        kernel.extend(script);
    }
    var_int(&mut kernel); // The lock height.
    kernel.extend([3; POINT]);
    let before_extra = kernel.len();
    kernel.extend([2, 8, 9]);
    kernel.extend([4; POINT + SIGNATURE]);
    let read = |bytes: &[u8]| {
        let mut found = Vec::new();
        super::kernel(&mut &*bytes, &mut found).map(|()| found)
    };
    let found = read(&kernel).expect("a kernel");
    let hash = |bytes: &[u8]| KernelId::from_bytes(*blake3::hash(bytes).as_bytes());
    assert_eq!(found.len(), 2);
    for (pegout, (position, script)) in found.iter().zip([(0, 0x51), (1, 0x52)]) {
        assert_eq!(pegout.id, PegoutId { kernel: hash(&kernel), position });
        assert_eq!(pegout.output.script_pubkey.as_bytes(), [script]);
        assert_eq!(pegout.output.value.to_sat(), 128);
    }
    // Empty extra data are read, and are no part of the hash: the node would not write them.
    kernel.splice(before_extra..before_extra + 3, [0]);
    let found = read(&kernel).expect("a kernel");
    let mut written = kernel.clone();
    written.remove(before_extra);
    assert_eq!(found[0].id.kernel, hash(&written));
    assert_eq!(read(&kernel[..kernel.len() - 1]), None, "cut short");
}

#[test]
fn an_unreadable_extension_block_proves_nothing() {
    let whole = block("block-mweb-pegout.hex");
    let absent = PegoutProof::Absent { unmined: std::collections::HashSet::new() };
    let proof = |bytes: &[u8]| decode_block(bytes).expect("a block all the same").pegouts;
    assert_eq!(proof(&whole[..whole.len() - 1]), absent, "cut short");
    assert_eq!(proof(&[&whole[..], &[0]].concat()), absent, "something follows");
}

proptest! {
    #[test]
    fn any_bytes_are_parsed_or_refused(
        at in any::<prop::sample::Index>(),
        with in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = block("block-mweb-four-pegouts.hex");
        let extension = bytes.len() - 10_000.min(bytes.len() / 2);
        let place = extension + at.index(bytes.len() - extension);
        bytes[place] = with;
        bytes.truncate(bytes.len() - cut.index(100));
        let _ = pegouts(&bytes[extension..]);
        let _ = decode_block(&bytes);
    }
}
