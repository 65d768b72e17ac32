# The Discord bot. The English file explains the ids.

## General.

no-address = ninguna
no-subscription = ninguna
before-after =
    {"**"}Antes** { $before }
    {"**"}Después** { $after }
n-of-m = { $n } de { $m }
n-confirmations = { $n ->
        [one] { $n } confirmación
       *[other] { $n } confirmaciones
    }
until-date = hasta el { $date }
nothing-changed = No se cambió nada.
button-leave = Dejarlo así
kept-notifications = -# Tienes { $n ->
        [one] { $n } aviso
       *[other] { $n } avisos
    }: `/notifications` { $n ->
        [one] lo
       *[other] los
    } muestra.

## Errors of commands.

ours = Algo salió mal de nuestro lado; inténtalo más tarde (en el registro como { $request }).
changed = Este comando ha cambiado; recarga Discord y envíalo de nuevo.
has-parts = Este comando tiene partes; elige una de la lista.
not-understood = No se entendió una de las opciones; elígela o escríbela de nuevo.
bot-lacks = El bot no puede hacer esto aquí; le falta { $permissions }. Un administrador puede permitirlo.
permissions-unknown = Discord no dijo qué está permitido aquí; envíalo de nuevo.
not-usable = Este comando no está disponible aquí; `/help` muestra los comandos.

## The account.

title-help = Aceptar Litecoin en tres pasos
help =
    { $address } **Dirección de pago**: `/set_address` dice a dónde va tu dinero.
    { $subscription } **Suscripción**{ $until }: te la concede un administrador.
    { $key } **Clave de API**: `/view_key` la muestra; tu tienda la envía con cada solicitud. `/docs` tiene ejemplos.

    {"**"}Dinero**: `/payments` `/payment` `/accept` `/cancel_payment` `/payouts` `/account` `/invoice`
    {"**"}Cuenta**: `/set_business_name` `/set_confirmations` `/set_tolerance` `/set_events` `/subscription` `/cancel_address_change` `/rotate_key` `/view_webhook_secret` `/rotate_webhook_secret`
    {"**"}Webhooks**: `/set_webhook_url` `/test_webhook` `/resend_webhook`
    {"**"}Novedades**: `/notifications` `/notification_settings`
address-set = Desde ahora los envíos van a { $address }. Compara la dirección con tu cartera.
address-warning = ⚠ Lo que escribiste puede ser para Bitcoin. Compara la dirección de arriba con tu cartera de Litecoin.
title-change-address = ¿Cambiar la dirección de pago?
change-address = El cambio entra en vigor { $hours ->
        [one] { $hours } hora
       *[other] { $hours } horas
    } después de que lo confirmes. Hasta entonces se puede cancelar.
button-change-address = Cambiar la dirección
button-cancel-change = Cancelar el cambio
change-cancelled = El cambio está cancelado; los envíos van a donde iban antes.
address-will-be = Los envíos van a { $address } desde el { $date } ({ $when }). Hasta entonces `/cancel_address_change` lo cancela.
address-is = Los envíos van a { $address }.
address-none = ninguna: `/set_address`
address-to-come = ⏳ cambia a { $address } { $when }; `/cancel_address_change` lo cancela
name-set = Cambiado. En la página de pago tu tienda se llama ahora **{ $name }**.
confirmations-set = Los pagos nuevos necesitan { $n ->
        [one] { $n } confirmación
       *[other] { $n } confirmaciones
    }, unos { $minutes ->
        [one] { $minutes } minuto
       *[other] { $minutes } minutos
    }. Los grandes pueden necesitar más.
confirmations-risk = Con tan pocas confirmaciones, una reorganización de la cadena podría anular un pago.
tiers-set = Los pagos nuevos necesitan estas confirmaciones: { $tiers }. Para los mayores vale el valor general.
tolerance-set = Los pagos nuevos se completan si falta como máximo el { $percent } % del importe.
tolerance-none = Los pagos nuevos necesitan el importe completo.
events-set = Los webhooks de los pagos nuevos también avisan de: { $events }.
events-none = Los webhooks de los pagos nuevos solo avisan cuando se completan.
subscription-suspended = Tu cuenta está suspendida: no hay pagos nuevos. Los pagos abiertos continúan y todo se paga. Consulta a un administrador.
subscription-until = Tu suscripción dura hasta el { $date } ({ $when }). Se te recuerda 7, 3 y 1 días antes.
subscription-ended = Tu suscripción terminó { $when }. Pide a un administrador que la prolongue.
subscription-none = Aún no tienes suscripción. Pídesela a un administrador.
title-notification-settings = Tus notificaciones
off-for-all = (desactivado para todos)
in-the-channel = (en el canal)
docs =
    La guía de integración con ejemplos para copiar: { $url }/docs
    La API para máquinas: { $url }/openapi.json

## Secrets.

title-rotate-key = ¿Cambiar la clave de API?
key-number = clave { $n }
old-key-dies = Tu tienda no puede crear pagos desde que confirmes hasta que tenga la clave nueva.
old-key-lives = Ambas claves valen durante 24 horas, así tu tienda puede cambiar sin interrupción. No elijas esto para una clave que otra persona pueda tener.
open-go-on = Los pagos abiertos continúan.
button-rotate-key = Cambiar la clave
your-key = Tu clave de API: ||`{ $secret }`||
key-warning = ⚠ Guárdala en tu servidor, nunca en una página ni en una aplicación. Quien la tenga puede crear pagos en tu nombre; `/rotate_key` la cambia.
title-rotate-secret = ¿Cambiar el secreto de los webhooks?
secret-number = secreto { $n }
two-signatures = Los webhooks llevan dos firmas durante 24 horas, así tu tienda puede cambiar sin interrupción. Si el secreto se ha filtrado, cámbialo dos veces: así deja de valer al instante.
button-rotate-secret = Cambiar el secreto
your-secret = Tu secreto de webhooks: ||`{ $secret }`||
secret-warning = ⚠ Guárdalo en tu servidor y verifica con él cada webhook. Quien lo tenga puede hacer creer a tu tienda que un pago está completo.
goes-away = -# Este mensaje se borra después de { $n ->
        [one] { $n } segundo
       *[other] { $n } segundos
    }.
title-factor-enable = ¿Usar una aplicación de autenticación?
factor-setup =
    Introduce este secreto en tu aplicación de autenticación: ||`{ $secret }`||
    O abre este enlace en el dispositivo que la tiene: ||`{ $url }`||

    Después introduce aquí el código de la aplicación, en un plazo de 5 minutos. Desde entonces, una nueva dirección de pago y una nueva clave de API necesitan un código.
button-enter-code = Introducir el código
title-form = Segundo factor
field-code = Código de la app o de recuperación
factor-asks = Lo confirmas con un código de tu aplicación de autenticación.
factor-enabled =
    El segundo factor está activado. ✔ Guarda estos códigos de recuperación en un lugar seguro. Cada uno sustituye una vez a un código de la aplicación:
    ||```
    { $codes }
    ```||
title-factor-disable = ¿Desactivar el segundo factor?
factor-disable = Sin él, quien tenga tu cuenta de Discord puede cambiar tu dirección de pago y tu clave de API. Hace falta un código más de la aplicación.
factor-disabled = El segundo factor está desactivado.

## Money.

field-merchant = Comerciante
field-payout-address = Dirección de pago
field-subscription = Suscripción
field-confirmations = Confirmaciones
field-webhooks-to = Los webhooks van a
field-money = Dinero
field-next-sweep = Próximo envío
subscription-runs = hasta el { $date } ({ $when })
subscription-missing = ninguna: pídesela a un administrador
next-sweep = { $when }, para quienes esperan { $amount } o más
next-sweep-unknown = en cuanto funcione el envío de fondos
as-payments-say = a donde diga cada pago: `/set_webhook_url`
payouts-list = `/payouts` lista lo que se envió
sum-received = recibido
sum-unconfirmed = sin confirmar
sum-unswept = aún sin enviar
sum-in-flight = en camino
sum-paid = enviado
sum-fees = comisiones
sum-elsewhere = en otra parte
title-payment = Pago
field-payment = Pago
field-status = Estado
field-amount = Importe
field-received = Recibido
field-created = Creado
field-time-up = Vence
field-address = Dirección
field-checkout = Página de pago
field-order = Pedido
field-transactions = Transacciones
field-webhook = Webhook
field-paid-out-with = Enviado con
received = { $received }, confirmado { $confirmed }
webhook-delivered = entregado
webhook-due = previsto { $when }, { $n ->
        [one] { $n } intento
       *[other] { $n } intentos
    }
webhook-given-up = abandonado: `/resend_webhook` lo envía de nuevo
status-pending = pendiente
status-completed = completo
status-expired = vencido
detail-waiting = en espera
detail-partly-paid = pagado en parte
detail-seen = visto
detail-confirming = confirmándose
detail-replaced = retirado
detail-paid = pagado
detail-overpaid = pagado de más
detail-paid-short = pagado, falta una pequeña parte
detail-accepted = aceptado
detail-cancelled = cancelado
detail-expired = vencido
detail-late = llegó tarde
detail-delayed = con retraso
month-empty = No se envió nada en { $month }.
month-payouts = Tus envíos de { $month } (UTC): { $n }.
month-cut = Hay más de los que caben: `GET /api/payouts` los da todos.
title-invoice = Pago creado
field-send-link = Envía este enlace al comprador
button-checkout = Abrir la página de pago

## Lists.

title-page = { $title } (página { $n })
button-previous = Anterior
button-next = Siguiente
title-payments = Pagos
title-payments-of = Pagos: { $status }
title-payouts = Envíos de fondos
title-notifications = Avisos
title-merchants = Comerciantes
title-audit-log = Quién hizo qué
title-failed = Webhooks abandonados
empty-payments = Todavía ninguno. `/invoice` crea uno a mano, tu tienda los crea con la API: `/docs`.
empty-payouts = Todavía ninguno. Lo completo y confirmado se paga con el próximo envío; las sumas pequeñas esperan a otras. `/account` muestra lo que espera.
empty-notifications = Todavía no hay notificaciones. `/notification_settings` elige cuáles recibes.
empty-merchants = Todavía ninguno. `/grant_sub` crea el primero.
empty-audit-log = Todavía no se hizo nada.
empty-failed = Ninguno. Todo va bien.
payout-line = { $when } { $amount } · comisión { $fee } · { $n ->
        [one] { $n } confirmación
       *[other] { $n } confirmaciones
    }
failed-line = `{ $payment }` { $when } · { $n ->
        [one] { $n } intento
       *[other] { $n } intentos
    } · `{ $merchant }`
state-suspended = suspendido
state-ends = termina { $when }
state-ended = terminó { $when }
state-none = sin suscripción
audit-log-nothing = nada
audit-log-by-message = por mensaje directo

## Webhooks.

webhooks-go-to = Los webhooks van a { $url }, salvo que un pago nombre su propia URL.
webhooks-go-as-said = Los webhooks van a donde diga cada pago, y a ningún otro lugar.
webhooks-will-go-to = Desde ahora los webhooks van a { $url } para los pagos que no nombran su propia URL. `/test_webhook` lo prueba.
webhooks-will-go-as-said = Desde ahora los webhooks van a donde diga cada pago, y a ningún otro lugar.
resent = Se envía de nuevo ahora. `/payment` muestra el resultado.
title-test = Webhook de prueba
field-outcome = Resultado
field-event = Su id
field-answer = Lo que respondió
field-advice = Consejo
title-resend-all = ¿Enviarlos de nuevo?
resend-all = Todos los webhooks abandonados de { $name } se envían de nuevo.
button-resend-all = Enviar de nuevo
resent-all = Los webhooks abandonados de { $name } se envían otra vez.
title-accept = ¿Aceptar el pago?
accept-payment = Hay { $received } de { $amount } confirmados. El pago se completa con lo confirmado.
button-accept = Aceptar el pago
accepted = El pago está completado.
title-cancel = ¿Cancelar el pago?
cancel-payment = El pago vence ahora. Si llega dinero después, se te paga, y el pago solo se completa si lo aceptas.
button-cancel = Cancelar el pago
cancelled = El pago está cancelado.

## Administration of merchants.

granted = { $name } tiene { $n ->
        [one] { $n } día
       *[other] { $n } días
    } más.
title-revoke = ¿Terminar la suscripción?
revoke = Desde entonces se rechazan pagos nuevos. Los abiertos siguen y todo se paga.
button-revoke = Terminarla
revoked = La suscripción de { $name } ha terminado. Los pagos abiertos siguen y se pagan.
title-suspend = ¿Suspender a este comerciante?
can-make-payments = puede crear pagos
no-new-payments = sin pagos nuevos
suspend = La suscripción sigue corriendo. Los pagos abiertos siguen y todo se paga. `/unsuspend` lo levanta.
button-suspend = Suspender
suspended = { $name } no puede crear pagos nuevos. Los abiertos siguen y se pagan. `/unsuspend` lo levanta.
unsuspended = { $name } puede crear pagos de nuevo.
field-owner = Titular
not-on-discord = no está en Discord
field-since = Desde
field-suspended = Suspendido

## The gateway.

title-stats = Estadísticas
field-day = Últimas 24 horas
field-week = Últimos 7 días
field-month = Últimos 30 días
field-merchants = Comerciantes
field-webhooks-waiting = Webhooks en espera
field-lost = Pagos completos sin sus monedas
stats = { $n ->
        [one] { $n } pago creado
       *[other] { $n } pagos creados
    }, { $completed ->
        [one] { $completed } completo
       *[other] { $completed } completos
    }{ $rate }: { $sum }{ $median }; { $failed ->
        [one] { $failed } webhook abandonado
       *[other] { $failed } webhooks abandonados
    }
stats-rate = {" "}({ $percent } % de los decididos)
stats-median = , la mitad en menos de { $minutes } min { $seconds } s
merchants-count = { $active } con suscripción, { $all } en total
title-node = El nodo
field-node = Nodo
field-gateway = Pasarela
field-height = Altura
field-stand = Bloque del observador
field-peers = Pares
field-mempool = Transacciones en su mempool
field-zmq = ZMQ
field-watcher = Observador
field-chain-guard = Guardián de la cadena
node-on = { $node } en { $chain }
height = { $height } ({ $n ->
        [one] { $n } bloque
       *[other] { $n } bloques
    } detrás de sus cabeceras)
stand-none = ningún bloque todavía
watcher-at = en la punta hace { $n } s
watcher-never = aún no ha alcanzado la punta
suspect = el guardián de la cadena está activo; `litegate chain-guard` muestra por qué
zmq-heard = oído por última vez { $when }
zmq-never = aún no se ha oído nada
nothing-ready = No hay nada listo: los pagos se envían una vez decididos y confirmados.
title-sweep = ¿Enviar los fondos ahora?
sweep = { $n ->
        [one] { $n } moneda
       *[other] { $n } monedas
    } de { $merchants ->
        [one] { $merchants } comerciante
       *[other] { $merchants } comerciantes
    }, { $sum } en total, menos la comisión de la red. Las sumas pequeñas, las direcciones que faltan y una duda sobre la cadena siguen esperando.
button-sweep = Enviar ahora
title-swept = Enviado
swept-line = `{ $txid }`: { $n ->
        [one] { $n } envío
       *[other] { $n } envíos
    }, comisión { $fee }
swept-nothing = El envío se ejecutó; no se pudo pagar nada. `litegate sweep --dry-run` muestra por qué.
sweeper-cannot = El envío falló: { $why }.
sweeper-slow = El envío aún no se ha ejecutado. `/stats` y `litegate sweep` muestran el resultado.
title-announce = ¿Publicar esto?
button-announce = Publicarlo
announced = Publicado.
title-setup = La configuración del bot
setup-server = servidor: { $name }
setup-everywhere = los comandos están registrados en todas partes
setup-here = los comandos están registrados en este servidor
setup-role = los administradores tienen el rol { $role }
setup-role-unset = discord.admin_role_id no está puesto: nadie administra
setup-role-unknown = discord.admin_role_id: el servidor no tiene el rol { $role }
channel-unset = { $key } no está puesto
channel-elsewhere = { $key }: { $channel } se ve, pero no es un canal de este servidor
channel-fine = { $key }: en { $channel } se puede leer y escribir
channel-lacks = { $key }: en { $channel } al bot le falta { $permissions }. Dáselo en los ajustes del canal
permission-view = «Ver canal»
permission-send = «Enviar mensajes»
permission-embed = «Insertar enlaces»
title-config = Valores vigentes
config-grant = prolongación más larga = { $n } días

## Messages that the bot sends on its own.

title-shop-news = Novedades de tu tienda
title-gateway-notifications = Novedades de la pasarela
notifications-wait = { $name } { $n ->
        [one] Te espera
       *[other] Te esperan
    } { $n ->
        [one] { $n } aviso
       *[other] { $n } avisos
    }: `/notifications` { $n ->
        [one] lo
       *[other] los
    } muestra solo a ti.

## Refusals of the bot.

failure-not-yours = Este botón no es tuyo.
failure-used = Este botón ya se usó.
failure-too-old = Este botón es demasiado antiguo; envía el comando de nuevo.
failure-no-account = Aún no tienes cuenta de comerciante; empieza con `/set_address`.
failure-no-account-of = Este usuario no tiene cuenta de comerciante; `/grant_sub` la abre.
failure-not-admin = Este comando es para administradores.
failure-other-place = Este comando funciona en el servidor de la pasarela; úsalo allí.
failure-too-fast = Demasiados comandos; inténtalo en { $n ->
        [one] { $n } segundo
       *[other] { $n } segundos
    }.
failure-shown-too-often = Los secretos se muestran cinco veces por hora como máximo; inténtalo más tarde.
failure-unknown-kind = Elige uno de los tipos que se ofrecen.
failure-kind-and-how = Indica ambos: el tipo y la manera.
failure-no-webhook = Este pago no tiene webhook: no está completo, o se creó sin webhookUrl.
failure-choose-part = Elige una de las dos partes del comando.
failure-bot-is-no-merchant = Un bot no es un comerciante.
failure-bad-merchant-id = No es el id de un comerciante, como mer_0123456789ab.
failure-node-silent = El nodo no respondió en { $n ->
        [one] { $n } segundo
       *[other] { $n } segundos
    }; `litegate doctor` dice por qué.
failure-no-notifications-channel = Aquí no hay ningún canal de avisos.
failure-no-test = La prueba no se puede enviar desde aquí.
failure-set-channel-first = Pon primero discord.notifications_channel_id.

## Outcomes of a webhook delivery, in the middle of a sentence.

outcome-not-public = la URL lleva a una dirección privada o especial, o a un puerto no permitido
outcome-timeout = el receptor tardó demasiado
outcome-no-such-name = el nombre del receptor no tiene dirección
outcome-connect = sin conexión con el receptor
outcome-tls = sin conexión segura: el certificado o el TLS del receptor no es válido
outcome-broken = el receptor cortó la conexión

## Advice after a failed test webhook.

advice-not-public = La pasarela solo envía a direcciones públicas. El operador puede permitir las privadas con webhooks.allow_private_networks.
advice-no-such-name = Comprueba cómo está escrito el host y su registro DNS.
advice-connect = Nada escucha allí, o un cortafuegos no deja entrar a nadie: comprueba el puerto y el cortafuegos.
advice-tls = El certificado ha vencido, es de otro nombre, no lo firma nadie conocido, o el servidor omite los certificados intermedios; o habla http donde la URL dice https.
advice-timeout = Responde en menos de 15 segundos: comprueba la firma, anota el evento, responde 200 y haz el trabajo después.
advice-broken = La conexión terminó sin una respuesta que sea HTTP: ¿es la URL http donde el servidor habla https, o al revés?
advice-redirect = No se siguen las redirecciones: da la URL a la que llevan.
advice-body = El receptor no acepta el cuerpo: es JSON con content-type application/json. Si verifica la firma, debe hacerlo sobre los bytes tal como llegaron.
advice-login = El receptor pide un inicio de sesión o un token CSRF, o un cortafuegos nos rechaza: deja entrar POST sin eso y verifica la firma en su lugar.
advice-route = Ninguna ruta del receptor acepta POST en ese camino.
advice-busy = El receptor está ocupado; un evento real volvería más tarde.
advice-failed = El receptor falló: su propio registro dice por qué.

## Kinds of notifications, as choices of at most 100 characters.

kind-first-payment = Tu primer pago está completo
kind-paid = Un pago está completo (cada uno)
kind-part-paid = Un pago venció pagado solo en parte
kind-late-payment = Llegó dinero después del plazo de un pago
kind-webhook-failing = Un webhook ha fallado cinco veces
kind-webhook-failed = Un webhook se abandonó
kind-payout-sent = Un envío de fondos está en camino
kind-payout-stuck = Un envío de fondos tarda en confirmarse
kind-address-change = Tu dirección de pago cambia, cambió o el cambio se canceló
kind-key-rotated = Tu clave de API o tu secreto de webhooks se cambió
kind-subscription = Tu suscripción termina en 7, 3, 1 días, y cuando ha terminado

## Notifications.

notification-order = {" "}(pedido { $order })
notification-first-payment = Tu primer pago está completo: { $amount } LTC{ $order }. Se te paga con el próximo envío; `/payouts` muestra cuándo. `/payment { $id }`
notification-payment-complete = El pago `{ $id }`{ $order } de { $amount } LTC está completo. `/payment { $id }`
notification-payment-complete-late = El pago `{ $id }`{ $order } llegó tarde y ahora está completo. Decide si aún entregas. `/payment { $id }`
notification-payment-part-paid = El pago `{ $id }`{ $order } venció con { $received } de { $amount } LTC pagados. Lo que llegó se te paga; pregunta al comprador o devuélvelo. `/payment { $id }`
notification-payment-late = Llegaron { $amount } LTC para el pago `{ $id }`{ $order } después de su plazo. Si la suma se alcanza y se confirma, el pago se completa como tardío. `/payment { $id }`
notification-payment-too-late = Llegaron { $amount } LTC para el pago `{ $id }`{ $order } después de su plazo. Es demasiado tarde para completarlo; el dinero se te paga de todos modos. `/payment { $id }`
notification-payment-lost-to-you = El pago `{ $id }`{ $order } estaba completo, pero la cadena ya no contiene sus monedas: una reorganización profunda. No cuenta hasta que las monedas vuelvan. `/payment { $id }`
notification-webhook-failing = El webhook del pago `{ $id }`{ $order } ha fallado { $n ->
        [one] { $n } vez
       *[other] { $n } veces
    }: { $outcome }. Se intenta durante tres días. Arregla el receptor y luego `/resend_webhook { $id }`.
notification-webhook-given-up = El webhook del pago `{ $id }`{ $order } se abandonó tras { $n ->
        [one] { $n } intento
       *[other] { $n } intentos
    }: { $outcome }. Arregla el receptor y luego `/resend_webhook { $id }`.
notification-payout-sent = Un envío de { $amount } LTC está en camino: transacción `{ $txid }`. `/payouts`
notification-payout-stuck = Tu envío de { $amount } LTC espera un bloque desde hace más de dos horas: transacción `{ $txid }`. Se envía de nuevo hasta que se confirme. `/payouts`
notification-address-asked = Tu dirección de pago cambia { $when } a `{ $address }`{ $before }. Si no fuiste tú, cancélalo ahora: con el botón de abajo o `/cancel_address_change`; después protege tu cuenta de Discord.
notification-address-before = {" "}(hasta ahora `{ $address }`)
notification-address-effective = Desde ahora tus envíos van a `{ $address }`. `/account`
notification-address-cancelled = El cambio de tu dirección de pago a `{ $address }` está cancelado. `/account`
notification-payouts-wait = Tus pagos salientes esperan: el sistema no vio a tiempo tu nueva dirección de pago. Continúan automáticamente cuando termina el plazo. Si no cambiaste la dirección, usa `/cancel_address_change` y protege tu cuenta de Discord.
notification-payouts-wait-for-address = Tus pagos salientes esperan: tu dirección de pago no es la que el sistema conoce. Compárala en `/account` y registra otra vez la correcta con `/set_address`.
notification-key-replaced = Tu clave de API se cambió; la antigua ya no vale. Si no fuiste tú, protege tu cuenta de Discord y usa otra vez `/rotate_key`.
notification-key-replaced-gently = Tu clave de API se cambió; la antigua vale 24 horas más. Si no fuiste tú, protege tu cuenta de Discord y usa otra vez `/rotate_key`.
notification-secret-replaced = Tu secreto de webhooks se cambió; durante 24 horas firman ambos. Si no fuiste tú, protege tu cuenta de Discord y usa dos veces `/rotate_webhook_secret`.
notification-subscription-ends = Tu suscripción termina { $when } ({ $date }). Pide antes a un administrador que la prolongue, para que tu tienda siga. `/subscription`
notification-subscription-ended = Tu suscripción ha terminado: se rechazan pagos nuevos. Los abiertos siguen y todo se paga. Pide a un administrador que la prolongue; `/subscription` muestra cuándo la tienes.
notification-node-away = Desde hace más de { $minutes ->
        [one] { $minutes } minuto
       *[other] { $minutes } minutos
    } no estamos en la punta del nodo: { $why }. Los pagos se aceptan, pero no se ven. `/node`
notification-node-behind = el nodo está en el bloque { $height }, { $behind } detrás de sus cabeceras
notification-node-did-not-answer = el nodo no respondió en { $n ->
        [one] { $n } segundo
       *[other] { $n } segundos
    }; `litegate doctor` dice por qué
notification-node-back = Estamos otra vez en la punta del nodo. `/node`
notification-sweep-stuck = El envío { $sweep } espera un bloque desde hace más de dos horas: transacción `{ $txid }`. `/node` muestra el nodo; `litegate sweep` lo envía de nuevo.
notification-sweeper-stuck = Desde hace media hora no se envían fondos: { $trouble }. Los pagos se aceptan y esperan. `litegate doctor` busca la razón.
notification-sweep-damaged = Los bytes guardados del envío `{ $txid }` están dañados: por el disco o por una mano en la base de datos. Así no se envía; con la clave en esta máquina se firma de nuevo. `litegate doctor` muestra lo que queda.
notification-payouts-of-merchant-wait = Los pagos salientes de `{ $merchant }` esperan: { $why }. `litegate doctor` dice qué hacer.
notification-payment-lost = El pago `{ $id }` se completó, pero la mejor cadena ya no contiene sus monedas: una reorganización profunda. Al comerciante se le dijo que está pagado. `litegate payment show { $id }` y `litegate audit` muestran lo que falta.
notification-suspect = El guardián de la cadena está activo: { $reason }. Los pagos que salen de MWEB y los envíos esperan. `litegate chain-guard` lo muestra y puede terminarlo.
notification-low-disk = Al disco de la base de datos le quedan { $n } MB. Cuando esté lleno, se rechazarán pagos nuevos. Haz sitio; `litegate doctor` lo mira de nuevo.
notification-zmq-silent = El ZMQ del nodo no dice nada. Los pagos se notan preguntando al nodo una y otra vez, algo más tarde que de costumbre. `/node` lo muestra; `litegate doctor` busca la razón.
notification-zmq-back = Los pagos se notan otra vez como está configurado. `/node`
notification-fee-too-high = Hay monedas que no se envían, porque la comisión sería más de `sweeper.max_fee_percent` de ellas. Salen cuando bajen las comisiones o se junten más. `/sweep_now` muestra lo que está listo.
notification-too-much-hot = { $waiting } LTC esperan su envío bajo la clave de esta máquina, más que los { $limit } LTC de `sweeper.max_hot_balance`. `/sweep_now` envía lo que está listo; `litegate sweep --dry-run` dice a qué espera el resto.
notification-audit-found = La auditoría encontró { $n ->
        [one] { $n } diferencia
       *[other] { $n } diferencias
    }: hay litoshis que no están donde deberían. `litegate audit` nombra cada una.
notification-audit-clean = La auditoría está limpia de nuevo: se da cuenta de cada litoshi. `litegate audit`

## Descriptions of commands, of their parts and of their options, 100 characters each.

command-help = Dónde estás y qué sigue
command-set_address = Registrar la dirección de Litecoin a la que se paga tu dinero
command-set_address-ltc_address = Una dirección de Litecoin normal de tu propia cartera
command-cancel_address_change = Cancelar un cambio de dirección de pago que aún no vale
command-view_key = Mostrar tu clave de API; solo tú ves la respuesta
command-rotate_key = Cambiar tu clave de API
command-rotate_key-old_key = Qué pasa con la clave antigua; sin elegir deja de valer al instante
command-view_webhook_secret = Mostrar el secreto que firma tus webhooks; solo tú ves la respuesta
command-rotate_webhook_secret = Cambiar el secreto que firma los webhooks; ambos firman un día
command-second_factor = Proteger tu dirección de pago y tu clave de API con una aplicación
command-second_factor-enable = Empezar a usar una aplicación de autenticación
command-second_factor-disable = Dejar de usar la aplicación de autenticación; hace falta un código más
command-set_business_name = Cambiar el nombre que ven los compradores al pagar
command-set_business_name-name = De 1 a 64 caracteres
command-set_confirmations = Cambiar cuántas confirmaciones necesitan tus pagos
command-set_confirmations-confirmations = Un número, o tramos en LTC como 1 below 0.2, 3 below 2
command-set_tolerance = Cambiar qué parte del importe puede faltar
command-set_tolerance-percent = Porcentaje, de 0 a 10, para pagos nuevos
command-set_events = Cambiar qué eventos recibe tu webhook además de completed
command-set_events-events = seen, partly_paid, expired, late, replaced o none
command-accept = Aceptar tal cual un pago parcial o vencido
command-accept-payment = El pago; escribe su id, pedido o estado
command-cancel_payment = Cancelar un pago que nadie ha pagado
command-cancel_payment-payment = El pago; escribe su id, pedido o estado
command-subscription = Mostrar hasta cuándo puedes recibir pagos
command-notifications = Mostrar lo que se te dijo y lo que no se te pudo enviar
command-notification_settings = Elegir qué se te dice y cómo
command-notification_settings-kind = Qué decirte; sin ello se listan todos
command-notification_settings-how = Cómo se te dice
command-docs = Dónde está la guía de integración
command-account = Mostrar el estado de tu cuenta
command-payments = Listar tus pagos, los más nuevos primero
command-payments-status = Solo los que tienen este estado
command-payment = Mostrar uno de tus pagos
command-payment-payment = El pago: escribe su id, pedido o estado
command-payouts = Listar lo que se te pagó, lo más nuevo primero
command-payouts-month = Un mes como 2026-11: todo él como archivo para tu contabilidad
command-resend_webhook = Enviar de nuevo el webhook de un pago
command-resend_webhook-payment = El pago: escribe su id, pedido o estado
command-set_webhook_url = Decir a dónde van los webhooks cuando un pago no nombra su propia URL
command-set_webhook_url-url = Como https://shop.example/hook; none: a ningún lugar. Sin ella, muestra la actual
command-test_webhook = Enviar un webhook de prueba firmado a una URL y ver el resultado
command-test_webhook-url = Dónde recibe webhooks tu tienda, como https://shop.example/hook
command-invoice = Crear un pago a mano y obtener un enlace para el comprador
command-invoice-amount = Cuántos LTC, como 0.05
command-invoice-reference = Tu propio nombre para ello, como un número de pedido
command-grant_sub = Añadir días a la suscripción de un comerciante; abre la cuenta si no existe
command-grant_sub-user = El comerciante
command-grant_sub-days = Días que se añaden
command-revoke_sub = Terminar ya la suscripción de un comerciante; los pagos abiertos siguen
command-revoke_sub-user = El comerciante
command-suspend = Impedir pagos nuevos a un comerciante; los abiertos siguen y se pagan
command-suspend-user = El comerciante
command-unsuspend = Permitir de nuevo pagos a un comerciante suspendido
command-unsuspend-user = El comerciante
command-merchants = Listar los comerciantes, los más nuevos primero
command-merchant = Mostrar un comerciante: suscripción, dirección, sumas, fallos
command-merchant-merchant = Escribe un nombre o un id
command-stats = Cómo va: pagos, dinero, tiempos, webhooks
command-node = Mostrar el nodo: altura, retraso, pares, mempool, ZMQ, versiones
command-sweep_now = Pagar ahora lo que está listo, sin esperar al próximo turno
command-webhooks = Ocuparse de los webhooks abandonados
command-webhooks-failed = Listar los webhooks abandonados, los más nuevos primero
command-webhooks-resend = Enviar de nuevo todos los webhooks abandonados de un comerciante
command-webhooks-resend-merchant = Escribe un nombre o un id
command-audit_log = Mostrar quién hizo qué, lo más nuevo primero
command-audit_log-merchant = Solo lo que atañe a este comerciante
command-announce = Decir algo a todos los comerciantes, en el canal de avisos
command-announce-text = Qué decir; el formato se muestra tal cual
command-setup = Comprobar el servidor, el rol y los canales configurados
command-config = Mostrar los valores vigentes; se cambian en el archivo de configuración

## Choices of options. At most 100 characters each.

choice-direct-message = por mensaje directo
choice-channel = en el canal: que algo espera, no qué
choice-off = de ninguna manera
choice-revoke-now = revocarla al instante (0 horas)
choice-grace-period = dejarla válida 24 horas más
choice-pending = pendiente
choice-completed = completo
choice-expired = vencido
