# The checkout page. Plain text only: no markup and no straight quotes.

## Titles, one for each state of a payment.

pay = Paga { $amount }
more = Envía { $due } más
seen = Pago detectado
confirmed = { $n } de { $m } confirmaciones
paid = Pagado
expired = Pago caducado
cancelled = Pago cancelado
late = El pago llegó tarde
unknown = Pago no encontrado
limited = Un momento, por favor

## The text below the title.

waiting-hint = Escanea el código con tu monedero Litecoin, o copia el importe y la dirección. Un pago desde un saldo MWEB aparece con el próximo bloque.
partly-hint = Se han recibido { $received } de { $amount }. Envía el resto a la misma dirección.
replaced-hint = La transacción detectada se ha retirado. Esperando un pago.
seen-hint = Está a la espera de su primera confirmación. Puedes cerrar esta página.{ $notified ->
        [yes] {" "}La tienda recibe un aviso automático.
       *[no] {""}
    }
confirming-hint = Una confirmación tarda unos 2½ min. Faltan unos { $left } min. Puedes cerrar esta página.{ $notified ->
        [yes] {" "}La tienda recibe un aviso automático.
       *[no] {""}
    }
paid-hint = { $amount } recibidos. Gracias.
overpaid-hint = { $received } recibidos, { $surplus } más de lo pedido. Consulta la diferencia con la tienda.
paid-short-hint = Hemos recibido { $received } de { $amount }. La tienda acepta el pago. Gracias.
expired-hint = No envíes nada más a este pago. Haz un nuevo pedido en la tienda.
cancelled-hint = La tienda ha cancelado este pago. No envíe nada.
expired-partly-hint = Solo { $received } de { $amount } llegaron a tiempo. No envíes más. Contacta con la tienda e indica el número de pago de abajo.
late-hint = { $received } llegaron después de que caducara el pago. El dinero no se ha perdido. Contacta con la tienda e indica el número de pago de abajo.
unknown-hint = No se ha encontrado este pago. Revisa el enlace o empieza de nuevo en la tienda. No envíes dinero.
limited-hint = Hay demasiadas solicitudes desde tu conexión. Compruébalo de nuevo en { $n } s. Un pago enviado no se pierde.
delayed = En este momento los pagos se detectan con retraso. No pagues dos veces.
quoted = { $sum }, según { $shop }
decimal-sign = ,
price = { $sum } { $currency }
rate-held = { $price } = { $amount }. El tipo de cambio se mantiene hasta las { $time }.

## Labels and buttons.

order = Pedido
qr = Código QR del pago
open-wallet = Abrir en el monedero
no-wallet = ¿No se abrió ningún monedero? Escanea el código o copia la dirección.
amount = Importe
address = Dirección
link = Enlace de pago
copy = Copiar
copied = Copiado
selected = Seleccionado: cópialo desde el menú
time-left = Tiempo restante
until = hasta las { $time }
minutes = { $n } min
hours = { $n } h
confirmations = Confirmaciones
transaction = Transacción
back = Volver a { $host }
check-again = Comprobar de nuevo
payment = Pago
language = Idioma
