# The checkout page. Plain text only: no markup and no straight quotes.

## Titles, one for each state of a payment.

pay = { $amount } ödeyin
more = Lütfen { $due } daha gönderin
seen = Ödeme algılandı
confirmed = Onaylar: { $n }/{ $m }
paid = Ödendi
expired = Ödemenin süresi doldu
cancelled = Ödeme iptal edildi
late = Ödeme geç ulaştı
unknown = Ödeme bulunamadı
limited = Bir dakika lütfen

## The text below the title.

waiting-hint = Kodu Litecoin cüzdanınızla tarayın ya da tutarı ve adresi kopyalayın. MWEB bakiyesinden yapılan ödeme bir sonraki blokla görünür.
partly-hint = { $received } ulaştı; istenen { $amount }. Kalanını aynı adrese gönderin.
replaced-hint = Algılanan işlem geri çekildi. Ödeme bekleniyor.
seen-hint = İlk onayını bekliyor. Bu sayfayı kapatabilirsiniz.{ $notified ->
        [yes] {" "}Mağazaya otomatik olarak bildirilir.
       *[no] {""}
    }
confirming-hint = Bir onay yaklaşık 2½ dk sürer. Yaklaşık { $left } dk kaldı. Bu sayfayı kapatabilirsiniz.{ $notified ->
        [yes] {" "}Mağazaya otomatik olarak bildirilir.
       *[no] {""}
    }
paid-hint = { $amount } alındı. Teşekkürler.
overpaid-hint = { $received } alındı, istenenden { $surplus } fazla. Fark için mağazayla iletişime geçin.
paid-short-hint = { $amount } tutarın { $received } kadarı alındı. Mağaza ödemeyi kabul ediyor. Teşekkürler.
expired-hint = Bu ödeme için artık bir şey göndermeyin. Mağazada yeni bir sipariş verin.
cancelled-hint = Mağaza bu ödemeyi iptal etti. Hiçbir şey göndermeyin.
expired-partly-hint = Zamanında yalnızca { $received } ulaştı; istenen { $amount }. Daha fazla göndermeyin. Mağazayla iletişime geçip aşağıdaki ödeme numarasını belirtin.
late-hint = { $received } ödemenin süresi dolduktan sonra ulaştı. Para kaybolmadı. Mağazayla iletişime geçip aşağıdaki ödeme numarasını belirtin.
unknown-hint = Bu ödeme bulunamadı. Bağlantıyı denetleyin ya da mağazada yeniden başlayın. Para göndermeyin.
limited-hint = Bağlantınızdan çok fazla istek geldi. { $n } sn sonra yeniden denetleyin. Gönderilen bir ödeme kaybolmaz.
delayed = Ödemeler şu anda gecikmeyle algılanıyor. İki kez ödemeyin.
quoted = { $sum }, { $shop } tarafından belirtildi
decimal-sign = ,
price = { $sum } { $currency }
rate-held = { $price } = { $amount }. Kur { $time } saatine kadar geçerlidir.

## Labels and buttons.

order = Sipariş
qr = Ödemenin QR kodu
open-wallet = Cüzdanda aç
no-wallet = Cüzdan açılmadı mı? Kodu tarayın ya da adresi kopyalayın.
amount = Tutar
address = Adres
link = Ödeme bağlantısı
copy = Kopyala
copied = Kopyalandı
selected = Seçildi: menüden kopyalayın
time-left = Kalan süre
until = son: { $time }
minutes = { $n } dk
hours = { $n } sa
confirmations = Onaylar
transaction = İşlem
back = Geri dön: { $host }
check-again = Yeniden denetle
payment = Ödeme
language = Dil
