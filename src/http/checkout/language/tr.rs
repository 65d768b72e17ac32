//! The checkout in Turkish.

use super::Words;

pub(super) const WORDS: Words = Words {
    pay: "{amount} ödeyin",
    more: "Lütfen {due} daha gönderin",
    seen: "Ödeme görüldü",
    confirmed: "Onaylar: {n}/{m}",
    paid: "Ödendi",
    expired: "Süre doldu",
    late: "Geç ulaştı",
    unknown: "Böyle bir ödeme yok",
    limited: "Bir dakika lütfen",
    waiting_hint: "Kodu Litecoin cüzdanınızla tarayın ya da tutarı ve adresi kopyalayın. MWEB \
        bakiyesinden gelen ödeme bir sonraki blokla görünür.",
    partly_hint: "{received} ulaştı; istenen {amount}. Kalanını aynı adrese gönderin.",
    replaced_hint: "Gördüğümüz işlem geri çekildi. Ödeme bekleniyor.",
    seen_hint: "İlk onayını bekliyor. Bu sayfayı kapatabilirsiniz; mağazaya kendiliğinden \
        bildirilir.",
    confirming_hint: "Bir onay yaklaşık 2½ dk sürer; yaklaşık {left} dk kaldı. Bu sayfayı \
        kapatabilirsiniz; mağazaya kendiliğinden bildirilir.",
    paid_hint: "{amount} alındı. Teşekkürler.",
    overpaid_hint: "{received} alındı, istenenden {surplus} fazla. Mağazaya danışın.",
    expired_hint: "Bu ödeme için artık bir şey göndermeyin. Mağazada yeni bir sipariş verin.",
    expired_partly_hint: "Zamanında yalnızca {received} ulaştı; istenen {amount}. Daha fazla \
        göndermeyin: mağazaya aşağıdaki ödeme numarasını bildirin.",
    late_hint: "{received} süre dolduktan sonra ulaştı. Para kaybolmadı. Mağazayla iletişime geçip \
        aşağıdaki ödeme numarasını belirtin.",
    unknown_hint: "Bu adreste bir ödeme yok. Bağlantıyı denetleyin ya da mağazada yeniden \
        başlayın. Para göndermeyin.",
    limited_hint: "Bağlantınızdan çok fazla istek geldi. {n} sn sonra yeniden bakın. Gönderilen \
        bir ödeme kaybolmaz.",
    delayed: "Şu anda ödemeleri gecikmeyle görüyoruz. İki kez ödemeyin.",
    quoted: "{sum}, {shop} tarafından belirtildi",
    order: "Sipariş",
    qr: "Ödemenin QR kodu",
    open_wallet: "Cüzdanda aç",
    no_wallet: "Cüzdan açılmadı mı? Kodu tarayın ya da adresi kopyalayın.",
    amount: "Tutar",
    address: "Adres",
    link: "Ödeme bağlantısı",
    copy: "Kopyala",
    copied: "Kopyalandı",
    selected: "Seçildi: menüden kopyalayın",
    time_left: "Kalan süre",
    until: "son: {time}",
    minutes: "{n} dk",
    hours: "{n} sa",
    confirmations: "Onaylar",
    transaction: "İşlem",
    back: "Geri dön: {host}",
    check_again: "Yeniden denetle",
    payment: "Ödeme",
    language: "Dil",
};
