# The checkout page. Plain text only: no markup and no straight quotes.

## Titles, one for each state of a payment.

pay = ادفع { $amount }
more = يرجى إرسال { $due } أخرى
seen = رُصدت الدفعة
confirmed = التأكيدات: { $n } من { $m }
paid = تم الدفع
expired = انتهت صلاحية الدفعة
cancelled = تم إلغاء الدفعة
late = وصلت الدفعة متأخرة
unknown = لم يُعثر على الدفعة
limited = لحظة من فضلك

## The text below the title.

waiting-hint = امسح الرمز بمحفظة لايتكوين، أو انسخ المبلغ والعنوان. الدفعة من رصيد MWEB تظهر مع الكتلة التالية.
partly-hint = وصل { $received } من أصل { $amount }. أرسل الباقي إلى العنوان نفسه.
replaced-hint = سُحبت المعاملة التي رُصدت. ننتظر دفعة.
seen-hint = تنتظر تأكيدها الأول. يمكنك إغلاق هذه الصفحة.{ $notified ->
        [yes] {" "}سيُبلَّغ المتجر تلقائيًا.
       *[no] {""}
    }
confirming-hint = يستغرق التأكيد نحو 2½ د. بقي نحو { $left } د. يمكنك إغلاق هذه الصفحة.{ $notified ->
        [yes] {" "}سيُبلَّغ المتجر تلقائيًا.
       *[no] {""}
    }
paid-hint = استُلم { $amount }. شكرًا لك.
overpaid-hint = استُلم { $received }، أي أكثر من المطلوب بمقدار { $surplus }. تواصل مع المتجر بشأن الفرق.
paid-short-hint = تم استلام { $received } من { $amount }. يقبل المتجر هذه الدفعة. شكرًا لك.
expired-hint = لا ترسل شيئًا إلى هذه الدفعة بعد الآن. ابدأ طلبًا جديدًا في المتجر.
cancelled-hint = ألغى المتجر هذه الدفعة. لا ترسل أي مبلغ.
expired-partly-hint = لم يصل في الوقت إلا { $received } من أصل { $amount }. لا ترسل المزيد. تواصل مع المتجر واذكر رقم الدفعة أدناه.
late-hint = وصل { $received } بعد انتهاء صلاحية الدفعة. المال لم يضع. تواصل مع المتجر واذكر رقم الدفعة أدناه.
unknown-hint = لم يُعثر على هذه الدفعة. تحقق من الرابط أو ابدأ من جديد في المتجر. لا ترسل أي مال.
limited-hint = جاءت طلبات كثيرة من اتصالك. تحقق مجددًا بعد { $n } ث. الدفعة التي أرسلتها لم تضع.
delayed = تُرصد الدفعات الآن بتأخير. لا تدفع مرتين.
quoted = { $sum }، حسب { $shop }
decimal-sign = .
price = { $sum } { $currency }
rate-held = { $price } = { $amount }. السعر ثابت حتى { $time }.

## Labels and buttons.

order = الطلب
qr = رمز QR للدفعة
open-wallet = افتح في المحفظة
no-wallet = لم تُفتح أي محفظة؟ امسح الرمز أو انسخ العنوان.
amount = المبلغ
address = العنوان
link = رابط الدفع
copy = نسخ
copied = تم النسخ
selected = حُدد النص: انسخه من القائمة
time-left = الوقت المتبقي
until = حتى { $time }
minutes = { $n } د
hours = { $n } س
confirmations = التأكيدات
transaction = المعاملة
back = العودة إلى { $host }
check-again = تحقق مجددًا
payment = الدفعة
language = اللغة
