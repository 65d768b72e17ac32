# The checkout page. Plain text only: no markup and no straight quotes.

## Titles, one for each state of a payment.

pay = { $amount }をお支払いください
more = あと{ $due }をお送りください
seen = 支払いを検出しました
confirmed = { $m }回中{ $n }回承認済み
paid = 支払い完了
expired = 支払い期限が切れました
cancelled = お支払いはキャンセルされました
late = 支払いが期限後に届きました
unknown = 支払いが見つかりません
limited = 少々お待ちください

## The text below the title.

waiting-hint = Litecoinウォレットでコードを読み取るか、金額とアドレスをコピーしてください。MWEB残高からの支払いは次のブロックで表示されます。
partly-hint = { $amount }のうち{ $received }が届きました。残りを同じアドレスに送ってください。
replaced-hint = 検出した取引は取り消されました。支払いを待っています。
seen-hint = 最初の承認を待っています。このページは閉じてもかまいません。{ $notified ->
        [yes] {""}お店には自動で通知されます。
       *[no] {""}
    }
confirming-hint = 承認1回に約2½分かかります。残り約{ $left }分です。このページは閉じてもかまいません。{ $notified ->
        [yes] {""}お店には自動で通知されます。
       *[no] {""}
    }
paid-hint = { $amount }を受け取りました。ありがとうございます。
overpaid-hint = { $received }を受け取りました。ご請求より{ $surplus }多いため、差額についてお店にお問い合わせください。
paid-short-hint = { $amount } のうち { $received } を受け取りました。ショップはこのお支払いを受け付けます。ありがとうございます。
expired-hint = この支払いにはもう送金しないでください。お店で新しく注文してください。
cancelled-hint = ショップがこのお支払いをキャンセルしました。送金しないでください。
expired-partly-hint = 期限内に届いたのは{ $amount }のうち{ $received }だけです。これ以上送らず、下の支払い番号を添えてお店にお問い合わせください。
late-hint = { $received }が期限後に届きました。お金は失われていません。お店に連絡し、下の支払い番号をお伝えください。
unknown-hint = この支払いは見つかりませんでした。リンクを確かめるか、お店でやり直してください。送金しないでください。
limited-hint = お使いの接続からのリクエストが多すぎます。{ $n }秒後にもう一度確認してください。送った支払いは失われません。
delayed = 現在、支払いの検出が遅れています。二重に支払わないでください。
quoted = { $sum }（{ $shop }の提示額）
decimal-sign = .
price = { $currency }{ $sum }
rate-held = { $price } = { $amount }。このレートは{ $time }まで有効です。

## Labels and buttons.

order = 注文
qr = 支払いのQRコード
open-wallet = ウォレットで開く
no-wallet = ウォレットが開きませんか？コードを読み取るか、アドレスをコピーしてください。
amount = 金額
address = アドレス
link = 支払いリンク
copy = コピー
copied = コピーしました
selected = 選択しました。メニューからコピーしてください
time-left = 残り時間
until = { $time }まで
minutes = { $n }分
hours = { $n }時間
confirmations = 承認
transaction = 取引
back = { $host }に戻る
check-again = もう一度確認
payment = 支払い
language = 言語
