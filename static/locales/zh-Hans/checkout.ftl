# The checkout page. Plain text only: no markup and no straight quotes.

## Titles, one for each state of a payment.

pay = 请支付 { $amount }
more = 请再发送 { $due }
seen = 已检测到付款
confirmed = 已确认 { $n }/{ $m }
paid = 已付款
expired = 付款已过期
cancelled = 付款已取消
late = 付款迟到
unknown = 未找到付款
limited = 请稍候

## The text below the title.

waiting-hint = 请用莱特币钱包扫描二维码，或复制金额和地址。来自 MWEB 余额的付款会随下一个区块出现。
partly-hint = 已收到 { $received }，共需 { $amount }。请将余款发送到同一地址。
replaced-hint = 检测到的交易已被撤回。正在等待付款。
seen-hint = 正在等待首次确认。您可以关闭此页。{ $notified ->
        [yes] {""}商店会自动收到通知。
       *[no] {""}
    }
confirming-hint = 每次确认约需 2½ 分钟，还需约 { $left } 分钟。您可以关闭此页。{ $notified ->
        [yes] {""}商店会自动收到通知。
       *[no] {""}
    }
paid-hint = 已收到 { $amount }。谢谢。
overpaid-hint = 已收到 { $received }，比要求多 { $surplus }。请就差额联系商店。
paid-short-hint = 已收到 { $received }（应付 { $amount }）。商店接受这笔付款。谢谢。
expired-hint = 请不要再向这笔付款发送任何款项。请在商店重新下单。
cancelled-hint = 商店已取消这笔付款。请勿发送任何款项。
expired-partly-hint = 到期前只收到 { $received }，共需 { $amount }。请不要再发送。请联系商店并告知下方的付款编号。
late-hint = { $received } 在付款过期后到达。款项没有丢失。请联系商店，并告知下方的付款编号。
unknown-hint = 未找到这笔付款。请检查链接，或在商店重新开始。请不要付款。
limited-hint = 您的网络请求过多。请在 { $n } 秒后再次查看。已发送的付款不会丢失。
delayed = 目前付款的检测有延迟。请勿重复付款。
quoted = { $sum }（{ $shop } 报价）
decimal-sign = .
price = { $currency }{ $sum }
rate-held = { $price } = { $amount }。汇率有效至 { $time }。

## Labels and buttons.

order = 订单
qr = 付款二维码
open-wallet = 在钱包中打开
no-wallet = 钱包没有打开？请扫描二维码或复制地址。
amount = 金额
address = 地址
link = 付款链接
copy = 复制
copied = 已复制
selected = 已选中：请从菜单复制
time-left = 剩余时间
until = 截至 { $time }
minutes = { $n } 分钟
hours = { $n } 小时
confirmations = 确认
transaction = 交易
back = 返回 { $host }
check-again = 再次查看
payment = 付款
language = 语言
