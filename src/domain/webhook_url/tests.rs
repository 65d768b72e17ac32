//! Hostile and ordinary URLs as tables; then thousands of generated hosts, compared with
//! IANA's registries.

use super::*;

/// URLs of internal addresses, in every notation that some parser accepts.
const INSIDE: [&str; 187] = [
    // Loopback, and this network.
    "http://127.0.0.1/",
    "https://127.0.0.1/",
    "http://127.0.0.1:8080/hook",
    "http://127.0.0.2/",
    "http://127.255.255.254/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://0.0.0.0:80/",
    "http://0.1.2.3/",
    // Other bases and lengths.
    "http://0x7f.1/",
    "http://0x7f.0.0.1/",
    "http://0X7F.0X0.0X0.0X1/",
    "http://0x7f000001/",
    "http://0x000000007f000001/",
    "http://0177.0.0.1/",
    "http://0177.1/",
    "http://00000177.0.0.1/",
    "http://017700000001/",
    "http://2130706433/",
    "http://2130706433:9332/",
    "http://127.0x1/",
    "http://127.0.0x0.01/",
    "http://127.65535/",
    "http://0x/",
    "http://0x.0x.0x.0x/",
    "http://00/",
    "http://4294967295/",
    "http://0xffffffff/",
    "http://037777777777/",
    "http://3232235777/",
    "http://0xC0A80101/",
    "http://167772161/",
    // Cloud metadata services.
    "http://169.254.169.254/latest/meta-data",
    "http://169.254.169.254:80/metadata/instance?api-version=2021-02-01",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://0xA9.0xFE.0xA9.0xFE/",
    "http://0xa9.254.43518/",
    "http://169.254.43518/",
    "http://169.254.170.2/v2/credentials",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[0:0:0:0:0:ffff:a9fe:a9fe]/",
    "http://[fd00:ec2::254]/",
    "http://[fd20:ce::254]/",
    "http://100.100.100.200/",
    "http://192.0.0.192/",
    "http://168.63.129.16/machine?comp=goalstate",
    "http://[::ffff:168.63.129.16]/",
    "http://metadata.google.internal/",
    "http://metadata/computeMetadata/v1/",
    "http://instance-data/latest/",
    // Private and shared networks.
    "http://10.0.0.1/",
    "http://10.255.255.255/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.0.1/",
    "http://192.168.1.1:8443/",
    "http://192.168.257/",
    "http://100.64.0.1/",
    "http://100.127.255.254/",
    "http://169.254.0.1/",
    // Protocols, documentation, benchmarks, multicast, reserved, broadcast.
    "http://192.0.0.1/",
    "http://192.0.0.8/",
    "http://192.0.0.170/",
    "http://192.0.2.1/",
    "http://192.88.99.1/",
    "http://192.88.99.2/",
    "http://198.18.0.1/",
    "http://198.19.255.255/",
    "http://198.51.100.7/",
    "http://203.0.113.7/",
    "http://224.0.0.1/",
    "http://224.0.0.251:5353/",
    "http://239.255.255.250:1900/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    // Characters that normalize to others: full width, circled, ideographic stops, percent,
    // soft hyphens.
    "http://０.０.０.０/",
    "http://１２７.０.０.１/",
    "http://①②⑦.0.0.1/",
    "http://①⑥⑨.②⑤④.①⑥⑨.②⑤④/",
    "http://127。0。0。1/",
    "http://127．0．0．1/",
    "http://127｡0｡0｡1/",
    "http://０ｘ７ｆ.1/",
    "http://%31%32%37.0.0.1/",
    "http://127%2e0%2e0%2e1/",
    "http://%30x7f.1/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
    "http://ｌｏｃａｌｈｏｓｔ/",
    "http://loc\u{ad}alhost/",
    "http://loca\u{200b}lhost/",
    "http://%6c%6f%63alhost/",
    "http://localhost。/",
    "http://ＬＯＣＡＬＨＯＳＴ./",
    "http://𝓁ocalhost/",
    "http://printer．local/",
    // Trailing dots.
    "http://127.0.0.1./",
    "http://0x7f000001./",
    "http://localhost./",
    "http://a.localhost./",
    "http://router.lan./",
    // White space, slashes and backslashes that a parser drops or converts.
    " http://127.0.0.1/",
    "http://127.0.0.1\t/",
    "ht\ntp://127.0.0.1/",
    "http://127.0.\r\n0.1/",
    "http:///127.0.0.1/",
    "http:/127.0.0.1/",
    "http:127.0.0.1/",
    "http:\\\\127.0.0.1\\",
    "http://127.0.0.1\\@shop.example/",
    "http://127.0.0.1#@shop.example/",
    "http://127.0.0.1?@shop.example/",
    "http://127.0.0.1/@shop.example",
    "http://@127.0.0.1/",
    "http://:@127.0.0.1/",
    // IPv6, and embedded IPv4.
    "http://[::]/",
    "http://[::]:80/",
    "http://[::1]/",
    "http://[::1]:6379/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[0000:0000:0000:0000:0000:0000:0000:0001]/",
    "http://[::0.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[::7f00:1]/",
    "http://[::8.8.8.8]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::FFFF:7F00:1]/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]/",
    "http://[::ffff:0.0.0.0]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[::ffff:192.168.1.1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::a00:1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:0:0:0:0:192.168.1.1]/",
    "http://[64:ff9b:1::1]/",
    "http://[64:ff9b:1::8.8.8.8]/",
    "http://[100::1]/",
    "http://[100:0:0:1::1]/",
    "http://[2001::1]/",
    "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "http://[2001:2::1]/",
    "http://[2001:10::1]/",
    "http://[2001:20::1]/",
    "http://[2001:1ff::1]/",
    "http://[2001:db8::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:c0a8:101::1]/",
    "http://[2002:808:808::1]/",
    "http://[3fff::1]/",
    "http://[3fff:fff::1]/",
    "http://[4000::1]/",
    "http://[5f00::1]/",
    "http://[fc00::1]/",
    "http://[fd12:3456::1]/",
    "http://[fe80::1]/",
    "http://[febf::1]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://[ff05::2]/",
    "http://[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]/",
    // Names that are internal by convention.
    "http://localhost/",
    "http://localhost:8332/",
    "http://LOCALHOST/",
    "http://a.localhost/",
    "http://a.b.localhost/",
    "http://localhost.localdomain/",
    "http://localhost6.localdomain6/",
    "http://ip6-localhost/",
    "http://broadcasthost/",
    "http://printer.local/",
    "http://router.lan/",
    "http://nas.home/",
    "http://mail.corp/",
    "http://wiki.intranet/",
    "http://intranet/",
    "http://litecoind:9332/",
    "http://host.docker.internal:8080/",
    "http://x.home.arpa/",
    "http://kubernetes.default.svc.cluster.local/",
    "http://ip-10-0-0-1.ec2.internal/",
];

#[test]
fn urls_to_non_public_addresses_are_refused() {
    for text in INSIDE {
        let parsed = WebhookUrl::parse(text, PrivateNetworks::Refused);
        assert_eq!(parsed, Err(BadUrl::NotPublic), "{text:?}");
        assert!(WebhookUrl::parse(text, PrivateNetworks::Allowed).is_ok(), "{text:?}");
    }
}

/// Texts that parsers read differently, or that are not URLs.
const TRICKS: [(&str, BadUrl); 64] = [
    // Not absolute URLs.
    ("", BadUrl::NotAUrl),
    (" ", BadUrl::NotAUrl),
    ("shop.example/hook", BadUrl::NotAUrl),
    ("//127.0.0.1/", BadUrl::NotAUrl),
    ("/hook", BadUrl::NotAUrl),
    ("https://", BadUrl::NotAUrl),
    ("http://?", BadUrl::NotAUrl),
    ("http://#", BadUrl::NotAUrl),
    ("http:///", BadUrl::NotAUrl),
    ("http://.:99999/", BadUrl::NotAUrl),
    ("http://shop.example:99999/", BadUrl::NotAUrl),
    ("http://shop.example:-1/", BadUrl::NotAUrl),
    // Hosts that every parser should reject.
    ("http://[example.com]/", BadUrl::NotAUrl),
    ("http://[127.0.0.1]/", BadUrl::NotAUrl),
    ("http://[::1/", BadUrl::NotAUrl),
    ("http://::1/", BadUrl::NotAUrl),
    ("http://[::ffff:127.0.0.256]/", BadUrl::NotAUrl),
    ("http://[::1]x/", BadUrl::NotAUrl),
    ("http://[fe80::1%25eth0]/", BadUrl::NotAUrl),
    ("http://[fe80::1%eth0]/", BadUrl::NotAUrl),
    ("http://[::ffff:127.0.0.1%25lo]/", BadUrl::NotAUrl),
    ("http://[v1.127.0.0.1]/", BadUrl::NotAUrl),
    ("http://256.256.256.256/", BadUrl::NotAUrl),
    ("http://127.0.0.1.1/", BadUrl::NotAUrl),
    ("http://1.2.3.4.5.6.7.8.0x/", BadUrl::NotAUrl),
    ("http://4294967296/", BadUrl::NotAUrl),
    ("http://0x100000000/", BadUrl::NotAUrl),
    ("http://08.0.0.1/", BadUrl::NotAUrl),
    ("http://localhost../", BadUrl::NotAUrl),
    ("http://127.0.0.1../", BadUrl::NotAUrl),
    ("http://.127.0.0.1/", BadUrl::NotAUrl),
    ("http://shop..example/", BadUrl::NotAUrl),
    ("http://shop.example%40127.0.0.1/", BadUrl::NotAUrl),
    ("http://127.0.0.1%2f/", BadUrl::NotAUrl),
    ("http://127.0.0.1%00.shop.example/", BadUrl::NotAUrl),
    ("http://shop.example%0d%0ahost:%20inside/", BadUrl::NotAUrl),
    ("http://shop example/", BadUrl::NotAUrl),
    ("http://shop<example/", BadUrl::NotAUrl),
    ("http://shop^example/", BadUrl::NotAUrl),
    ("http://xn--/", BadUrl::NotAUrl),
    // Other schemes.
    ("ftp://shop.example/", BadUrl::Scheme),
    ("ws://127.0.0.1/", BadUrl::Scheme),
    ("wss://shop.example/", BadUrl::Scheme),
    ("javascript:alert(1)", BadUrl::Scheme),
    ("data:text/html,hi", BadUrl::Scheme),
    ("file:///etc/passwd", BadUrl::Scheme),
    ("file://127.0.0.1/etc/passwd", BadUrl::Scheme),
    ("gopher://127.0.0.1:6379/_INFO", BadUrl::Scheme),
    ("dict://127.0.0.1:11211/stats", BadUrl::Scheme),
    ("ldap://127.0.0.1/", BadUrl::Scheme),
    ("unix:/var/run/docker.sock", BadUrl::Scheme),
    ("jar:http://127.0.0.1!/", BadUrl::Scheme),
    ("view-source:http://127.0.0.1/", BadUrl::Scheme),
    ("httpx://shop.example/", BadUrl::Scheme),
    ("localhost:80", BadUrl::Scheme),
    // User name or password before the host.
    ("https://user@shop.example/", BadUrl::Credentials),
    ("https://user:pass@shop.example/", BadUrl::Credentials),
    ("https://:pass@shop.example/", BadUrl::Credentials),
    ("http://shop.example@127.0.0.1/", BadUrl::Credentials),
    ("http://127.0.0.1@shop.example/", BadUrl::Credentials),
    ("http://shop.example:80@127.0.0.1/", BadUrl::Credentials),
    ("http://a@b@127.0.0.1/", BadUrl::Credentials),
    ("http://shop.example%2f@127.0.0.1/", BadUrl::Credentials),
    ("http://127.0.0.1%23@shop.example/", BadUrl::Credentials),
];

#[test]
fn ambiguous_urls_are_always_refused() {
    for (text, expected) in TRICKS {
        for private in [PrivateNetworks::Refused, PrivateNetworks::Allowed] {
            assert_eq!(WebhookUrl::parse(text, private), Err(expected), "{text:?}");
        }
    }
}

#[test]
fn the_url_tables_are_long_and_free_of_duplicates() {
    let mut seen = std::collections::BTreeSet::new();
    let hostile = INSIDE.into_iter().chain(TRICKS.map(|(text, _)| text));
    assert!(hostile.clone().count() >= 150);
    assert!(ORDINARY.len() >= 60);
    for text in hostile.chain(ORDINARY) {
        assert!(seen.insert(text), "{text:?} twice");
    }
}

/// URLs of shops.
const ORDINARY: [&str; 74] = [
    "https://your-website.com/api/webhook/ltc-payment",
    "https://shop.example/hook",
    "https://shop.example",
    "http://shop.example/",
    "http://shop.example:8080/hook?shop=1",
    "https://shop.example:8443/a/b/c",
    "https://shop.example/hook?token=a%20b&x=%F0%9F%99%82",
    "https://shop.example/hook#f",
    "https://shop.example#f",
    "https://shop.example?q",
    "HTTPS://SHOP.EXAMPLE/HOOK",
    "https://www.shop.example/index.php?route=payment/litecoin",
    "https://shop.example/wp-json/wc/v3/litecoin",
    "https://shop.example/wp-admin/admin-ajax.php?action=hook",
    "https://shop.example./hook",
    "https://a.b.c.d.shop.example/",
    "https://shop-1.example/",
    "https://1shop.example/",
    "https://123.example/",
    "https://1.2.3.4.example/",
    "https://127.0.0.1.example/",
    "https://localhost.example/",
    "https://localhost.shop.example/hook",
    "https://local.shop.example/",
    "https://internal.example/",
    "https://lan.example/",
    "https://my-localhost.example/",
    "https://mylocal.com/",
    "https://homelan.net/",
    "https://corp.example.com/",
    "https://under_score.example/",
    "https://xn--bcher-kva.example/",
    "https://bücher.example/",
    "https://магазин.example/",
    "https://店.example/",
    "https://ελλάδα.example/hook",
    "https://shop.example/ä/ö",
    "https://shop.example/path%2fwith%2fslashes",
    "https://shop.example//double//slash",
    "https://shop.example/@name",
    "https://shop.example/a:b@c",
    "https://hooks.zapier.com/hooks/catch/1/2",
    "https://discord.com/api/webhooks/1/x",
    "https://eu.example.co.uk/hook",
    "https://api.example.dev/v1/hook",
    "https://shop.onion.example/",
    "https://example.net:443/",
    "http://example.net:80/",
    "https://8.8.8.8/",
    "https://1.1.1.1:8443/x",
    "https://134744072/",
    "https://1.1/",
    "https://172.15.0.1/",
    "https://172.32.0.1/",
    "https://100.63.255.255/",
    "https://100.128.0.1/",
    "https://126.255.255.255/",
    "https://128.0.0.1/",
    "https://169.253.255.255/",
    "https://192.0.1.1/",
    "https://192.167.255.255/",
    "https://192.169.0.1/",
    "https://198.17.0.1/",
    "https://198.20.0.1/",
    "https://168.63.129.17/",
    "https://223.255.255.255/",
    "https://[2606:4700::1111]/",
    "https://[2a00:1450::1]/",
    "https://[2001:4860:4860::8888]:8443/hook",
    "https://[2003::1]/",
    "https://[2400:cb00::1]/",
    "https://[3ffe::1]/",
    "https://[::ffff:8.8.8.8]/",
    "https://[64:ff9b::8.8.8.8]/",
];

#[test]
fn ordinary_urls_are_accepted() {
    for text in ORDINARY {
        let parsed = WebhookUrl::parse(text, PrivateNetworks::Refused);
        assert!(parsed.is_ok(), "{text:?}: {parsed:?}");
    }
}

#[test]
fn a_redirect_url_is_refused_for_the_same_reasons() {
    for (text, expected) in TRICKS {
        assert_eq!(RedirectUrl::parse(text), Err(expected), "{text:?}");
    }
    let long = format!("https://{}.example/", "a".repeat(64));
    assert_eq!(RedirectUrl::parse(&long), Err(BadUrl::NotAUrl));
    let long = format!("https://{}example/", "a.".repeat(124));
    assert_eq!(RedirectUrl::parse(&long), Err(BadUrl::NotAUrl));
    let long = format!("https://shop.example/{}", "a".repeat(2048));
    assert_eq!(RedirectUrl::parse(&long), Err(BadUrl::TooLong));
    assert_eq!(WebhookUrl::parse(&long, PrivateNetworks::Allowed), Err(BadUrl::TooLong));
}

#[test]
fn special_address_ranges_match_the_registry() {
    // The address before a special range, its first, its last, and the one after it.
    for (before, first, last, after) in [
        ("", "0.0.0.0", "0.255.255.255", "1.0.0.0"),
        ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
        ("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"),
        ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
        ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
        ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
        ("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
        ("192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"),
        ("192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"),
        ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
        ("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"),
        ("198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"),
        ("203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"),
        ("223.255.255.255", "224.0.0.0", "255.255.255.255", ""),
        ("", "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"),
        ("2000:ffff::", "2001::", "2001:1ff:ffff::", "2001:200::"),
        ("2001:db7:ffff::", "2001:db8::", "2001:db8:ffff::", "2001:db9::"),
        ("2001:ffff::", "2002::", "2002:ffff::", "2003::"),
        ("3ffe:ffff::", "3fff::", "3fff:fff:ffff::", "3fff:1000::"),
        ("3fff:ffff::", "4000::", "ffff:ffff::", ""),
        ("::ffff:9.255.255.255", "::ffff:10.0.0.0", "::ffff:10.9.9.9", "::ffff:11.0.0.0"),
        ("64:ff9b::8.8.8.8", "64:ff9b::10.0.0.0", "64:ff9b::127.0.0.1", "64:ff9b::11.0.0.0"),
    ] {
        for (text, expected) in [(before, true), (first, false), (last, false), (after, true)] {
            if !text.is_empty() {
                let address: IpAddr = text.parse().expect("an address");
                assert_eq!(is_public(address), expected, "{text}");
            }
        }
    }
}

#[test]
fn a_receiver_is_the_same_in_every_spelling() {
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let url = WebhookUrl::parse(text, PrivateNetworks::Allowed).expect("a URL");
        assert_eq!(url.receiver(), expected, "{text}");
    }
    check("https://shop.example/hook?a=1", "shop.example:443");
    check("HTTPS://Shop.Example.:443", "shop.example:443");
    check("http://shop.example/", "shop.example:80");
    check("http://shop.example:8080/", "shop.example:8080");
    check("http://0x7f.1/", "127.0.0.1:80");
    check("http://[::1]/", "[::1]:80");
}

/// IANA's registries of special-purpose addresses (RFC 6890 and successors), of multicast and
/// of IPv6 unicast, with our verdict on each.
const REGISTRY: [(&str, u32, Reach); 51] = [
    // This network, private use, shared, loopback, link local.
    ("0.0.0.0", 8, Reach::Inside),
    ("10.0.0.0", 8, Reach::Inside),
    ("100.64.0.0", 10, Reach::Inside),
    ("127.0.0.0", 8, Reach::Inside),
    ("169.254.0.0", 16, Reach::Inside),
    ("172.16.0.0", 12, Reach::Inside),
    ("192.168.0.0", 16, Reach::Inside),
    // Protocol assignments. Two are anycast services that anyone may reach, but no shop.
    ("192.0.0.0", 24, Reach::Inside),
    ("192.0.0.0", 29, Reach::Inside),
    ("192.0.0.8", 32, Reach::Inside),
    ("192.0.0.9", 32, Reach::Inside),
    ("192.0.0.10", 32, Reach::Inside),
    ("192.0.0.170", 31, Reach::Inside),
    // AS112 and AMT: on the public Internet.
    ("192.31.196.0", 24, Reach::Public),
    ("192.52.193.0", 24, Reach::Public),
    ("192.175.48.0", 24, Reach::Public),
    // Relays of 6to4 and 6a44; benchmarks; documentation.
    ("192.88.99.0", 24, Reach::Inside),
    ("198.18.0.0", 15, Reach::Inside),
    ("192.0.2.0", 24, Reach::Inside),
    ("198.51.100.0", 24, Reach::Inside),
    ("203.0.113.0", 24, Reach::Inside),
    // Multicast, reserved, broadcast.
    ("224.0.0.0", 4, Reach::Inside),
    ("240.0.0.0", 4, Reach::Inside),
    ("255.255.255.255", 32, Reach::Inside),
    // In no registry: Azure's agent.
    ("168.63.129.16", 32, Reach::Inside),
    // All of IPv6, and its allocated part.
    ("::", 0, Reach::Inside),
    ("2000::", 3, Reach::Public),
    ("::", 128, Reach::Inside),
    ("::1", 128, Reach::Inside),
    ("::ffff:0:0", 96, Reach::AsIpv4),
    ("64:ff9b::", 96, Reach::AsIpv4),
    ("64:ff9b:1::", 48, Reach::Inside),
    ("100::", 64, Reach::Inside),
    ("100:0:0:1::", 64, Reach::Inside),
    // Protocol assignments, with Teredo, benchmarks, AMT, AS112 and both ORCHIDs.
    ("2001::", 23, Reach::Inside),
    ("2001::", 32, Reach::Inside),
    ("2001:1::1", 128, Reach::Inside),
    ("2001:2::", 48, Reach::Inside),
    ("2001:3::", 32, Reach::Inside),
    ("2001:4:112::", 48, Reach::Inside),
    ("2001:10::", 28, Reach::Inside),
    ("2001:20::", 28, Reach::Inside),
    ("2001:30::", 28, Reach::Inside),
    ("2001:db8::", 32, Reach::Inside),
    ("2002::", 16, Reach::Inside),
    ("2620:4f:8000::", 48, Reach::Public),
    ("3fff::", 20, Reach::Inside),
    ("5f00::", 16, Reach::Inside),
    ("fc00::", 7, Reach::Inside),
    ("fe80::", 10, Reach::Inside),
    ("ff00::", 8, Reach::Inside),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Inside,
    Public,
    /// As the IPv4 address in its last 32 bits.
    AsIpv4,
}

/// The verdict of the registry: the longest prefix decides.
fn is_public_by_registry(address: IpAddr) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (32, u128::from(address.to_bits())),
        IpAddr::V6(address) => (128, address.to_bits()),
    };
    let (width, wanted) = bits(address);
    let within = REGISTRY.iter().filter(|(first, length, _)| {
        let (of, first) = bits(first.parse().expect("an address"));
        let rest = of - length;
        of == width && wanted.checked_shr(rest) == first.checked_shr(rest)
    });
    match within.max_by_key(|(_, length, _)| length).map(|(_, _, reach)| reach) {
        None | Some(Reach::Public) => true,
        Some(Reach::Inside) => false,
        Some(Reach::AsIpv4) => {
            let low = u32::try_from(wanted & 0xffff_ffff).expect("32 bits");
            is_public_by_registry(IpAddr::V4(Ipv4Addr::from_bits(low)))
        }
    }
}

/// A deterministic random generator (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).expect("an index")]
    }

    /// An address, often within or next to a registered prefix.
    fn address(&mut self) -> IpAddr {
        let bits = u128::from(self.next()) << 64 | u128::from(self.next());
        if self.below(4) == 0 {
            return match self.below(2) {
                0 => IpAddr::V4(Ipv4Addr::from_bits((bits & 0xffff_ffff) as u32)),
                _ => IpAddr::V6(Ipv6Addr::from_bits(bits)),
            };
        }
        let (first, length, _) = self.pick(&REGISTRY);
        let beside = self.pick(&[0u128, 0, 0, 1, u128::MAX]);
        match first.parse().expect("an address") {
            IpAddr::V4(first) => {
                let host = u32::MAX.checked_shr(length).unwrap_or(0) & (bits & 0xffff_ffff) as u32;
                let edge = if beside == 0 { host } else { host * (bits as u32 & 1) };
                IpAddr::V4(Ipv4Addr::from_bits(
                    (first.to_bits() | edge).wrapping_add(beside as u32),
                ))
            }
            IpAddr::V6(first) => {
                let host = u128::MAX.checked_shr(length).unwrap_or(0) & bits;
                let edge = if beside == 0 { host } else { 0 };
                IpAddr::V6(Ipv6Addr::from_bits((first.to_bits() | edge).wrapping_add(beside)))
            }
        }
    }

    /// The address in one of the notations that URL parsers accept.
    fn spell(&mut self, address: IpAddr) -> String {
        match address {
            IpAddr::V4(address) => {
                let text = self.spell_v4(address);
                self.disguise(text)
            }
            IpAddr::V6(address) => self.spell_v6(address),
        }
    }

    fn spell_v4(&mut self, address: Ipv4Addr) -> String {
        let bits = address.to_bits();
        // Leading parts hold one byte each; the last holds the rest.
        let leading = u32::try_from(self.below(4)).expect("small");
        let mut parts: Vec<u32> = (0..leading).map(|n| bits >> (24 - 8 * n) & 0xff).collect();
        parts.push(if leading == 0 { bits } else { bits & (u32::MAX >> (8 * leading)) });
        let spelled: Vec<String> = parts
            .into_iter()
            .map(|part| match self.below(6) {
                0 => format!("0x{part:x}"),
                1 => format!("0X{part:X}"),
                2 => format!("0{part:o}"),
                3 => format!("0x{part:010x}"),
                _ => part.to_string(),
            })
            .collect();
        spelled.join(".")
    }

    /// The same host to a URL parser, but not to a text comparison.
    fn disguise(&mut self, text: String) -> String {
        let mut disguised = String::new();
        let style = self.below(5);
        for c in text.chars() {
            match style {
                0 if self.below(2) == 0 => {
                    let full = u32::from(c).checked_add(0xfee0).and_then(char::from_u32);
                    disguised.push(full.expect("full-width forms follow ASCII"));
                }
                1 if self.below(2) == 0 => {
                    disguised.push_str(&format!("%{:02x}", u32::from(c)));
                }
                2 if c == '.' => disguised.push(self.pick(&['.', '。', '．', '｡'])),
                3 if self.below(4) == 0 => {
                    disguised.push('\u{ad}');
                    disguised.push(c);
                }
                _ => disguised.push(c),
            }
        }
        if self.below(8) == 0 {
            disguised.push('.');
        }
        disguised
    }

    fn spell_v6(&mut self, address: Ipv6Addr) -> String {
        let s = address.segments();
        let low = Ipv4Addr::from_bits(u32::from(s[6]) << 16 | u32::from(s[7]));
        match self.below(4) {
            0 => format!("[{address}]").to_uppercase(),
            1 => {
                let all: Vec<String> = s.iter().map(|part| format!("{part:04x}")).collect();
                format!("[{}]", all.join(":"))
            }
            2 => {
                let high: Vec<String> = s[..6].iter().map(|part| format!("{part:x}")).collect();
                format!("[{}:{low}]", high.join(":"))
            }
            _ => format!("[{address}]"),
        }
    }

    /// A text that may be a host, or invalid.
    fn garbage(&mut self) -> String {
        let pieces = [
            "127",
            "0",
            "1",
            "0x7f",
            "0177",
            ".",
            ".",
            ".",
            ":",
            "[",
            "]",
            "::",
            "ffff",
            "%",
            "%25",
            "%2e",
            "@",
            "\\",
            "/",
            "#",
            "?",
            "localhost",
            "local",
            "shop",
            "example",
            "xn--",
            "-",
            "。",
            "０",
            "①",
            "\u{ad}",
            "\u{200d}",
            "\t",
            " ",
            "é",
            "ß",
            "\u{0}",
            "65536",
        ];
        (0..1 + self.below(8)).map(|_| self.pick(&pieces)).collect()
    }
}

const HOSTS: u64 = 10_000;

#[test]
fn generated_addresses_are_classified_by_the_registries() {
    let mut random = Random(1);
    let (mut refused, mut accepted) = (0u64, 0u64);
    for _ in 0..HOSTS {
        let address = random.address();
        let expected = is_public_by_registry(address);
        assert_eq!(is_public(address), expected, "{address}");
        let text = format!("http://{}/", random.spell(address));
        let parsed = WebhookUrl::parse(&text, PrivateNetworks::Refused);
        if expected {
            accepted += 1;
            assert!(parsed.is_ok(), "{address} as {text:?}: {parsed:?}");
        } else {
            refused += 1;
            assert_eq!(parsed, Err(BadUrl::NotPublic), "{address} as {text:?}");
        }
    }
    assert!(refused > HOSTS / 4 && accepted > HOSTS / 4, "{refused} refused, {accepted} accepted");
}

#[test]
fn accepted_urls_have_a_public_address_or_a_dotted_name() {
    let mut random = Random(2);
    let mut accepted = 0u64;
    for _ in 0..HOSTS {
        let text = format!("http://{}/", random.garbage());
        let Ok(url) = WebhookUrl::parse(&text, PrivateNetworks::Refused) else { continue };
        accepted += 1;
        // A stored URL is parsed again before delivery: it must keep its meaning.
        let again = WebhookUrl::parse(url.as_str(), PrivateNetworks::Refused);
        assert_eq!(again.as_ref(), Ok(&url), "{text:?}");
        let host = url.0.host_str().expect("a host");
        let literal = host.trim_matches(['[', ']']).parse::<IpAddr>();
        match literal {
            Ok(address) => assert!(is_public_by_registry(address), "{text:?} is {address}"),
            Err(_) => {
                let name = host.trim_end_matches('.');
                let last = name.rsplit('.').next().unwrap_or_default();
                assert!(name.contains('.') && last != "localhost" && last != "local", "{text:?}");
                assert!(!last.bytes().all(|b| b.is_ascii_digit()), "{text:?} ends in a number");
            }
        }
    }
    assert!(accepted > HOSTS / 100, "{accepted} of {HOSTS}: the test says nothing");
}
