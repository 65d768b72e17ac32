//! The bot in Spanish.

use super::Words;
use super::typed::Said;

pub(super) const WORDS: Words = Words {
    no_address: "ninguna",
    no_subscription: "ninguna",
    before_after: "**Antes** {before}\n**Después** {after}",
    n_of_m: "{n} de {m}",
    n_confirmations: "{n} {n|confirmación|confirmaciones}",
    until_date: "hasta el {date}",
    nothing_changed: "No se cambió nada.",
    button_leave: "Dejarlo así",
    kept_notifications: "-# Tienes {n} {n|aviso|avisos}: {/notifications} {n|lo|los} muestra.",

    ours: "Algo salió mal de nuestro lado; inténtalo más tarde (en el registro como {request}).",
    changed: "Este comando ha cambiado; recarga Discord y envíalo de nuevo.",
    has_parts: "Este comando tiene partes; elige una de la lista.",
    not_understood: "No se entendió una de las opciones; elígela o escríbela de nuevo.",
    bot_lacks: "El bot no puede hacer esto aquí; le falta {permissions}. Un administrador puede \
        permitirlo.",
    permissions_unknown: "Discord no dijo qué está permitido aquí; envíalo de nuevo.",
    not_usable: "Este comando no se puede usar así; {/help} muestra lo que sí se puede.",

    title_help: "Aceptar Litecoin en tres pasos",
    help: "{address} **Dirección de pago**: {/set_address} dice a dónde va tu dinero.\n\
        {subscription} **Suscripción**{until}: te la concede un administrador.\n\
        {key} **Clave de API**: {/view_key} la muestra; tu tienda la envía con cada solicitud. {/docs} \
        tiene ejemplos.\n\n\
        **Dinero**: {/payments} {/payment} {/payouts} {/account} {/invoice}\n\
        **Cuenta**: {/set_business_name} {/set_confirmations} {/subscription} \
        {/cancel_address_change} {/rotate_key} {/view_webhook_secret} {/rotate_webhook_secret}\n\
        **Webhooks**: {/set_webhook_url} {/test_webhook} {/resend_webhook}\n\
        **Novedades**: {/notifications} {/notification_settings}",
    address_set: "Desde ahora los envíos van a {address}. Compara la dirección con tu cartera.",
    address_warning: "⚠ Lo que escribiste puede ser para Bitcoin. Compara la dirección de arriba con tu \
        cartera de Litecoin.",
    title_change_address: "¿Cambiar la dirección de pago?",
    change_address: "El cambio entra en vigor {hours} {hours|hora|horas} después de que lo confirmes. Hasta \
        entonces se puede cancelar.",
    button_change_address: "Cambiar la dirección",
    button_cancel_change: "Cancelar el cambio",
    change_cancelled: "El cambio está cancelado; los envíos van a donde iban antes.",
    address_will_be: "Los envíos van a {address} desde el {date} ({when}). Hasta entonces \
        {/cancel_address_change} lo cancela.",
    address_is: "Los envíos van a {address}.",
    address_none: "ninguna: {/set_address}",
    address_to_come: "⏳ cambia a {address} {when}; {/cancel_address_change} lo cancela",
    name_set: "Cambiado. En la página de pago tu tienda se llama ahora **{name}**.",
    confirmations_set: "Los pagos nuevos necesitan {n} {n|confirmación|confirmaciones}, unos {minutes} \
        {minutes|minuto|minutos}. Los grandes pueden necesitar más.",
    confirmations_risk: "Con tan pocas, una reorganización de la cadena puede deshacer un pago.",
    subscription_suspended: "Tu cuenta está suspendida: no hay pagos nuevos. Los abiertos siguen y todo \
        se paga. Consulta a un administrador.",
    subscription_until: "Tu suscripción dura hasta el {date} ({when}). Se te recuerda 7, 3 y 1 días \
        antes.",
    subscription_ended: "Tu suscripción terminó {when}. Pide a un administrador que la prolongue.",
    subscription_none: "Aún no tienes suscripción. Pídesela a un administrador.",
    title_notification_settings: "Lo que se te dice",
    off_for_all: "(desactivado para todos)",
    in_the_channel: "(en el canal)",
    docs: "La guía de integración con ejemplos para copiar: {url}/docs\nLa API para máquinas: \
        {url}/openapi.json",

    title_rotate_key: "¿Cambiar la clave de API?",
    key_number: "clave {n}",
    old_key_dies: "Tu tienda no puede crear pagos desde que confirmes hasta que tenga la clave nueva.",
    old_key_lives: "Ambas claves valen durante 24 horas, así tu tienda puede cambiar con calma. No lo \
        uses con una clave que otra persona pueda tener.",
    open_go_on: "Los pagos abiertos siguen.",
    button_rotate_key: "Cambiar la clave",
    your_key: "Tu clave de API: ||`{secret}`||",
    key_warning: "⚠ Guárdala en tu servidor, nunca en una página ni en una aplicación. Quien la tenga \
        puede crear pagos en tu nombre; {/rotate_key} la cambia.",
    title_rotate_secret: "¿Cambiar el secreto de los webhooks?",
    secret_number: "secreto {n}",
    two_signatures: "Los webhooks llevan dos firmas durante 24 horas, así tu tienda puede cambiar con \
        calma. Cambiarlo dos veces anula al instante un secreto filtrado.",
    button_rotate_secret: "Cambiar el secreto",
    your_secret: "Tu secreto de webhooks: ||`{secret}`||",
    secret_warning: "⚠ Guárdalo en tu servidor y verifica con él cada webhook. Quien lo tenga puede \
        hacer creer a tu tienda que un pago está completo.",
    goes_away: "-# Este mensaje desaparece en {n} {n|segundo|segundos}.",
    title_factor_enable: "¿Usar una aplicación de autenticación?",
    factor_setup: "Introduce este secreto en tu aplicación de autenticación: ||`{secret}`||\nO abre \
        este enlace en el dispositivo que la tiene: ||`{url}`||\n\nDespués introduce aquí el código \
        de la aplicación, en un plazo de 5 minutos. Desde entonces, una nueva dirección de pago y \
        una nueva clave de API necesitan un código.",
    button_enter_code: "Introducir el código",
    title_form: "Segundo factor",
    field_code: "Código de la app o de recuperación",
    factor_asks: "Lo confirmas con un código de tu aplicación de autenticación.",
    factor_enabled: "El segundo factor está activado. ✔ Guarda estos códigos de recuperación en un \
        lugar seguro. Cada uno sustituye una vez a un código de la aplicación:\n||```\n{codes}\n```||",
    title_factor_disable: "¿Desactivar el segundo factor?",
    factor_disable: "Sin él, quien tenga tu cuenta de Discord puede cambiar tu dirección de pago y \
        tu clave de API. Hace falta un código más de la aplicación.",
    factor_disabled: "El segundo factor está desactivado.",

    field_merchant: "Comerciante",
    field_payout_address: "Dirección de pago",
    field_subscription: "Suscripción",
    field_confirmations: "Confirmaciones",
    field_webhooks_to: "Los webhooks van a",
    field_money: "Dinero",
    field_next_sweep: "Próximo envío",
    subscription_runs: "hasta el {date} ({when})",
    subscription_missing: "ninguna: pídesela a un administrador",
    next_sweep: "{when}, para quienes esperan {amount} o más",
    next_sweep_unknown: "en cuanto funcione el envío de fondos",
    as_payments_say: "a donde diga cada pago: {/set_webhook_url}",
    payouts_list: "{/payouts} lista lo que se envió",
    sum_received: "recibido",
    sum_unconfirmed: "sin confirmar",
    sum_unswept: "aún sin enviar",
    sum_in_flight: "en camino",
    sum_paid: "enviado",
    sum_fees: "comisiones",
    sum_elsewhere: "en otra parte",
    title_payment: "Pago",
    field_payment: "Pago",
    field_status: "Estado",
    field_amount: "Importe",
    field_received: "Recibido",
    field_created: "Creado",
    field_time_up: "Fin del plazo",
    field_address: "Dirección",
    field_checkout: "Página de pago",
    field_order: "Pedido",
    field_transactions: "Transacciones",
    field_webhook: "Webhook",
    field_paid_out_with: "Enviado con",
    received: "{received}, confirmado {confirmed}",
    webhook_delivered: "entregado",
    webhook_due: "previsto {when}, {n} {n|intento|intentos}",
    webhook_given_up: "abandonado: {/resend_webhook} lo envía de nuevo",
    status_pending: "pendiente",
    status_completed: "completo",
    status_expired: "vencido",
    detail_waiting: "en espera",
    detail_partly_paid: "pagado en parte",
    detail_seen: "visto",
    detail_confirming: "confirmándose",
    detail_replaced: "retirado",
    detail_paid: "pagado",
    detail_overpaid: "pagado de más",
    detail_paid_short: "pagado, falta una pequeña parte",
    detail_accepted: "aceptado",
    detail_cancelled: "cancelado",
    detail_expired: "vencido",
    detail_late: "llegó tarde",
    detail_delayed: "con retraso",
    month_empty: "No se envió nada en {month}.",
    month_payouts: "Tus envíos de {month} (UTC): {n}.",
    month_cut: "Hay más de los que caben: `GET /api/payouts` los da todos.",
    title_invoice: "Pago creado",
    field_send_link: "Envía este enlace al comprador",
    button_checkout: "Abrir la página de pago",

    title_page: "{title} (página {n})",
    button_previous: "Anterior",
    button_next: "Siguiente",
    title_payments: "Pagos",
    title_payments_of: "Pagos: {status}",
    title_payouts: "Envíos de fondos",
    title_notifications: "Avisos",
    title_merchants: "Comerciantes",
    title_audit_log: "Quién hizo qué",
    title_failed: "Webhooks abandonados",
    empty_payments: "Todavía ninguno. {/invoice} crea uno a mano, tu tienda los crea con la API: \
        {/docs}.",
    empty_payouts: "Todavía ninguno. Lo completo y confirmado se paga con el próximo envío; las sumas \
        pequeñas esperan a otras. {/account} muestra lo que espera.",
    empty_notifications: "No ha pasado nada de lo que se te avise. {/notification_settings} elige qué es eso.",
    empty_merchants: "Todavía ninguno. {/grant_sub} crea el primero.",
    empty_audit_log: "Todavía no se hizo nada.",
    empty_failed: "Ninguno. Todo va bien.",
    payout_line: "{when} {amount} · comisión {fee} · {n} {n|confirmación|confirmaciones}",
    failed_line: "`{payment}` {when} · {n} {n|intento|intentos} · `{merchant}`",
    state_suspended: "suspendido",
    state_ends: "termina {when}",
    state_ended: "terminó {when}",
    state_none: "sin suscripción",
    audit_log_nothing: "nada",
    audit_log_by_message: "por mensaje directo",

    webhooks_go_to: "Los webhooks van a {url}, salvo que un pago nombre su propia URL.",
    webhooks_go_as_said: "Los webhooks van a donde diga cada pago, y a ningún otro lugar.",
    webhooks_will_go_to: "Desde ahora los webhooks van a {url} para los pagos que no nombran su propia \
        URL. {/test_webhook} lo prueba.",
    webhooks_will_go_as_said: "Desde ahora los webhooks van a donde diga cada pago, y a ningún otro \
        lugar.",
    resent: "Se envía de nuevo ahora. {/payment} muestra el resultado.",
    title_test: "Webhook de prueba",
    field_outcome: "Resultado",
    field_event: "Su id",
    field_answer: "Lo que respondió",
    field_advice: "Consejo",
    title_resend_all: "¿Enviarlos de nuevo?",
    resend_all: "Todos los webhooks abandonados de {name} se envían de nuevo.",
    button_resend_all: "Enviar de nuevo",
    resent_all: "Los webhooks abandonados de {name} se envían otra vez.",

    granted: "{name} tiene {n} {n|día|días} más.",
    title_revoke: "¿Terminar la suscripción?",
    revoke: "Desde entonces se rechazan pagos nuevos. Los abiertos siguen y todo se paga.",
    button_revoke: "Terminarla",
    revoked: "La suscripción de {name} ha terminado. Los pagos abiertos siguen y se pagan.",
    title_suspend: "¿Suspender a este comerciante?",
    can_make_payments: "puede crear pagos",
    no_new_payments: "sin pagos nuevos",
    suspend: "La suscripción sigue corriendo. Los pagos abiertos siguen y todo se paga. {/unsuspend} lo \
        levanta.",
    button_suspend: "Suspender",
    suspended: "{name} no puede crear pagos nuevos. Los abiertos siguen y se pagan. {/unsuspend} lo \
        levanta.",
    unsuspended: "{name} puede crear pagos de nuevo.",
    field_owner: "Titular",
    not_on_discord: "no está en Discord",
    field_since: "Desde",
    field_suspended: "Suspendido",

    title_stats: "Cómo va",
    field_day: "Últimas 24 horas",
    field_week: "Últimos 7 días",
    field_month: "Últimos 30 días",
    field_merchants: "Comerciantes",
    field_webhooks_waiting: "Webhooks en espera",
    field_lost: "Pagos completos sin sus monedas",
    stats: "{n} {n|pago creado|pagos creados}, {completed} {completed|completo|completos}{rate}: \
        {sum}{median}; {failed} {failed|webhook abandonado|webhooks abandonados}",
    stats_rate: " ({percent} % de los decididos)",
    stats_median: ", la mitad en menos de {minutes} min {seconds} s",
    merchants_count: "{active} con suscripción, {all} en total",
    title_node: "El nodo",
    field_node: "Nodo",
    field_gateway: "Pasarela",
    field_height: "Altura",
    field_stand: "Estamos en",
    field_peers: "Pares",
    field_mempool: "Transacciones en su mempool",
    field_zmq: "ZMQ",
    field_watcher: "Observador",
    field_chain_guard: "Duda",
    node_on: "{node} en {chain}",
    height: "{height} ({n} {n|bloque|bloques} detrás de sus cabeceras)",
    stand_none: "ningún bloque todavía",
    watcher_at: "en la punta hace {n} s",
    watcher_never: "aún no ha estado en la punta",
    suspect: "el guardián de la cadena está activo; `litegate chain-guard` muestra por qué",
    zmq_heard: "oído por última vez {when}",
    zmq_never: "aún no se ha oído nada",
    nothing_ready: "No hay nada listo: los pagos se envían una vez decididos y confirmados.",
    title_sweep: "¿Enviar los fondos ahora?",
    sweep: "{n} {n|moneda|monedas} de {merchants} {merchants|comerciante|comerciantes}, {sum} en total, \
        menos la comisión de la red. Las sumas pequeñas, las direcciones que faltan y una duda sobre la \
        cadena siguen esperando.",
    button_sweep: "Enviar ahora",
    title_swept: "Enviado",
    swept_line: "`{txid}`: {n} {n|envío|envíos}, comisión {fee}",
    swept_nothing: "Se ha mirado; no podía salir nada. `litegate sweep --dry-run` dice por qué.",
    sweeper_cannot: "El envío no es posible: {why}.",
    sweeper_slow: "Aún no se ha mirado. {/stats} y `litegate sweep` muestran el resultado.",
    title_announce: "¿Publicar esto?",
    button_announce: "Publicarlo",
    announced: "Publicado.",
    title_setup: "La configuración del bot",
    setup_server: "servidor: {name}",
    setup_everywhere: "los comandos están registrados en todas partes",
    setup_here: "los comandos están registrados en este servidor",
    setup_role: "los administradores tienen el rol {role}",
    setup_role_unset: "discord.admin_role_id no está puesto: nadie administra",
    setup_role_unknown: "discord.admin_role_id: el servidor no tiene el rol {role}",
    channel_unset: "{key} no está puesto",
    channel_elsewhere: "{key}: {channel} se ve, pero no es un canal de este servidor",
    channel_fine: "{key}: en {channel} se puede leer y escribir",
    channel_lacks: "{key}: en {channel} al bot le falta {permissions}. Dáselo en los ajustes del canal",
    permission_view: "«Ver canal»",
    permission_send: "«Enviar mensajes»",
    permission_embed: "«Insertar enlaces»",
    title_config: "Valores vigentes",
    config_grant: "prolongación más larga = {n} días",

    title_shop_news: "Novedades de tu tienda",
    title_gateway_notifications: "Novedades de la pasarela",
    notifications_wait: "{name} {n|Te espera|Te esperan} {n} {n|aviso|avisos}: {/notifications} {n|lo|los} muestra \
        solo a ti.",
};

pub(super) const SAID: Said = Said {
    unknown_merchant: "No existe el comerciante {id}.",
    unknown_payment: "No existe ese pago.",
    unknown_event: "No existe ese evento de webhook.",
    discord_user_taken: "Este usuario de Discord ya tiene una cuenta de comerciante: {id}.",
    subscription_inactive: "La suscripción no está activa; pídesela a un administrador.",
    suspended: "La cuenta está suspendida; consulta a un administrador.",
    suspended_already: "La cuenta ya está suspendida.",
    not_suspended: "La cuenta no está suspendida.",
    payout_address_missing: "No hay ninguna dirección de pago registrada; registra una primero: \
        {/set_address}.",
    starting: "La pasarela está arrancando: su nodo aún no ha respondido si esta cuenta ya se usó antes. \
        Inténtalo de nuevo en un minuto.",
    too_many_open: "Hay {n} {n|pago abierto|pagos abiertos}; espera a que algunos se paguen o venzan.",
    daily_limit: "Como máximo {n} al día; inténtalo más tarde.",
    idempotency_key_reused: "La idempotency-key ya se usó con otra solicitud.",
    chain_suspect: "El guardián de la cadena está activo: mientras tanto no se paga nada (`litegate chain-guard`).",
    no_address_change: "No hay ningún cambio de dirección de pago en espera.",
    too_many_address_changes: "La dirección de pago se cambió {n} veces en un día. \
        Vuelve a intentarlo mañana.",
    factor_code_needed: "Hace falta un código de tu aplicación de autenticación.",
    factor_wrong_code: "El código no es correcto. Con {n} {n|código incorrecto|códigos \
        incorrectos} más, el segundo factor se bloquea 15 minutos.",
    factor_wrong_first_code: "El código no es correcto. Comprueba el reloj del dispositivo que \
        tiene la aplicación.",
    factor_used_code: "Este código ya se usó. Espera al siguiente.",
    factor_locked: "Demasiados códigos incorrectos. Vuelve a intentarlo en {n} \
        {n|minuto|minutos}.",
    factor_unusable: "No se puede verificar el segundo factor. Pide al operador que lo \
        restablezca.",
    factor_enabled_already: "El segundo factor ya está activado. Desactívalo primero.",
    factor_not_enabled: "El segundo factor no está activado.",
    factor_not_begun: "Ningún segundo factor espera su primer código. Empieza de nuevo.",

    address_empty: "La dirección no puede estar vacía.",
    address_too_long: "Es demasiado larga para una dirección de Litecoin.",
    address_whitespace: "La dirección no puede contener espacios ni saltos de línea.",
    address_mixed_case: "La dirección mezcla mayúsculas y minúsculas; comprueba que se copió entera.",
    address_other_network: "Es una dirección de la red {network}; esta pasarela está en otra.",
    address_bitcoin: "Es una dirección de Bitcoin; da una de Litecoin.",
    address_mweb: "Es una dirección MWEB, a la que no se puede pagar; da una normal como ltc1q…",
    address_checksum: "La dirección está mal escrita: su suma de control no encaja.",
    address_witness_version: "La dirección tiene una versión de testigo que los nodos de Litecoin no \
        transmiten.",
    address_unknown: "No es una dirección de Litecoin.",
    address_own: "Es una dirección de esta pasarela; da una de tu propia cartera.",
    name_empty: "El nombre no puede estar vacío.",
    name_too_long: "El nombre puede tener 64 caracteres como máximo.",
    name_unprintable: "El nombre no puede contener caracteres de control ni marcas que cambien la \
        dirección del texto.",
    amount_not_a_number: "El importe debe ser un número decimal como 0.05.",
    amount_negative: "El importe no puede ser negativo.",
    amount_too_large: "El importe no puede pasar de 84000000.",
    amount_too_precise: "El importe puede tener 8 decimales como máximo.",
    amount_too_small: "El importe debe ser de al menos {least} LTC.",
    reference_bad: "El pedido puede tener {max} caracteres como máximo, ninguno invisible.",
    url_too_long: "La URL es demasiado larga.",
    url_not_a_url: "La URL debe ser completa, como https://shop.example/webhook.",
    url_scheme: "La URL debe empezar por https:// o http://.",
    url_credentials: "La URL no puede contener usuario ni contraseña.",
    url_not_public: "La URL no puede llevar a una dirección privada o especial.",
    url_port: "La URL debe usar un puerto que el operador permita, como 443.",
    confirmations_range: "Las confirmaciones deben estar entre 1 y {max}.",
    days_range: "Los días deben estar entre 1 y {max}.",
    announcement_length: "El texto debe tener de 1 a {max} caracteres.",
    not_for_merchants: "Elige algo que se diga a los comerciantes.",
    month_bad: "Indica un año y un mes, como 2026-11.",
    bad_cursor: "Ese lugar de la lista no existe.",
    bad_state: "Elige previsto, entregado o abandonado.",

    not_yours: "Este botón no es tuyo.",
    used: "Este botón ya se usó.",
    too_old: "Este botón es demasiado antiguo; envía el comando de nuevo.",
    no_account: "Aún no tienes cuenta de comerciante; empieza con {/set_address}.",
    no_account_of: "Este usuario no tiene cuenta de comerciante; {/grant_sub} la abre.",
    not_admin: "Este comando es para administradores.",
    other_place: "Este comando funciona en el servidor de la pasarela; úsalo allí.",
    too_fast: "Demasiados comandos; inténtalo en {n} {n|segundo|segundos}.",
    shown_too_often: "Los secretos se muestran cinco veces por hora como máximo; inténtalo más tarde.",
    unknown_kind: "Elige uno de los tipos que se ofrecen.",
    kind_and_how: "Indica ambos: el tipo y la manera.",
    no_webhook: "Este pago no tiene webhook: no está completo, o se creó sin webhookUrl.",
    choose_part: "Elige una de las dos partes del comando.",
    bot_is_no_merchant: "Un bot no es un comerciante.",
    bad_merchant_id: "No es el id de un comerciante, como mer_0123456789ab.",
    node_silent: "El nodo no respondió en {n} {n|segundo|segundos}; `litegate doctor` dice por qué.",
    no_notifications_channel: "Aquí no hay ningún canal de avisos.",
    no_test: "La prueba no se puede enviar desde aquí.",
    set_channel_first: "Pon primero discord.notifications_channel_id.",

    answer_not_public: "la URL lleva a una dirección privada o especial, o a un puerto no permitido",
    answer_timeout: "el receptor tardó demasiado",
    answer_no_such_name: "el nombre del receptor no tiene dirección",
    answer_connect: "sin conexión con el receptor",
    answer_tls: "sin conexión segura: el certificado o el TLS del receptor no es válido",
    answer_broken: "el receptor cortó la conexión",
    advice_not_public: "La pasarela solo envía a direcciones públicas. El operador puede permitir las \
        privadas con webhooks.allow_private_networks.",
    advice_no_such_name: "Comprueba cómo está escrito el host y su registro DNS.",
    advice_connect: "Nada escucha allí, o un cortafuegos no deja entrar a nadie: comprueba el puerto y el \
        cortafuegos.",
    advice_tls: "El certificado ha vencido, es de otro nombre, no lo firma nadie conocido, o el servidor \
        omite los certificados intermedios; o habla http donde la URL dice https.",
    advice_timeout: "Responde en menos de 15 segundos: comprueba la firma, anota el evento, responde 200 \
        y haz el trabajo después.",
    advice_broken: "La conexión terminó sin una respuesta que sea HTTP: ¿es la URL http donde el servidor \
        habla https, o al revés?",
    advice_redirect: "No se siguen las redirecciones: da la URL a la que llevan.",
    advice_body: "El receptor no acepta el cuerpo: es JSON con content-type application/json. Si verifica \
        la firma, debe hacerlo sobre los bytes tal como llegaron.",
    advice_login: "El receptor pide un inicio de sesión o un token CSRF, o un cortafuegos nos rechaza: \
        deja entrar POST sin eso y verifica la firma en su lugar.",
    advice_route: "Ninguna ruta del receptor acepta POST en ese camino.",
    advice_busy: "El receptor está ocupado; un evento real volvería más tarde.",
    advice_failed: "El receptor falló: su propio registro dice por qué.",

    kind_first_payment: "Tu primer pago está completo",
    kind_paid: "Un pago está completo (cada uno)",
    kind_part_paid: "Un pago venció pagado solo en parte",
    kind_late_payment: "Llegó dinero después del plazo de un pago",
    kind_webhook_failing: "Un webhook ha fallado cinco veces",
    kind_webhook_failed: "Un webhook se abandonó",
    kind_payout_sent: "Un envío de fondos está en camino",
    kind_payout_stuck: "Un envío de fondos tarda en confirmarse",
    kind_address_change: "Tu dirección de pago cambia, cambió o el cambio se canceló",
    kind_key_rotated: "Tu clave de API o tu secreto de webhooks se cambió",
    kind_subscription: "Tu suscripción termina en 7, 3, 1 días, y cuando ha terminado",

    order: " (pedido {order})",
    first_payment: "Tu primer pago está completo: {amount} LTC{order}. Se te paga con el próximo envío; \
        {/payouts} muestra cuándo. {/payment id}",
    payment_complete: "El pago `{id}`{order} de {amount} LTC está completo. {/payment id}",
    payment_complete_late: "El pago `{id}`{order} llegó tarde y ahora está completo. Decide si aún \
        entregas. {/payment id}",
    payment_part_paid: "El pago `{id}`{order} venció con {received} de {amount} LTC pagados. Lo que llegó \
        se te paga; pregunta al comprador o devuélvelo. {/payment id}",
    payment_late: "Llegaron {amount} LTC para el pago `{id}`{order} después de su plazo. Si la suma se \
        alcanza y se confirma, el pago se completa como tardío. {/payment id}",
    payment_too_late: "Llegaron {amount} LTC para el pago `{id}`{order} después de su plazo. Es demasiado \
        tarde para completarlo; el dinero se te paga de todos modos. {/payment id}",
    payment_lost_to_you: "El pago `{id}`{order} estaba completo, pero la cadena ya no contiene sus monedas: una \
        reorganización profunda. No cuenta hasta que las monedas vuelvan. {/payment id}",
    webhook_failing: "El webhook del pago `{id}`{order} ha fallado {n} {n|vez|veces}: {outcome}. Se \
        intenta durante tres días. Arregla el receptor y luego {/resend_webhook id}.",
    webhook_given_up: "El webhook del pago `{id}`{order} se abandonó tras {n} {n|intento|intentos}: \
        {outcome}. Arregla el receptor y luego {/resend_webhook id}.",
    payout_sent: "Un envío de {amount} LTC está en camino: transacción `{txid}`. {/payouts}",
    payout_stuck: "Tu envío de {amount} LTC espera un bloque desde hace más de dos horas: transacción \
        `{txid}`. Se envía de nuevo hasta que se confirme. {/payouts}",
    address_asked: "Tu dirección de pago cambia {when} a `{address}`{before}. Si no fuiste tú, cancélalo \
        ahora: con el botón de abajo o {/cancel_address_change}; después protege tu cuenta de Discord.",
    address_before: " (hasta ahora `{address}`)",
    address_effective: "Desde ahora tus envíos van a `{address}`. {/account}",
    address_cancelled: "El cambio de tu dirección de pago a `{address}` está cancelado. {/account}",
    payouts_wait: "Tus pagos salientes esperan: el sistema no vio a tiempo tu nueva dirección de pago. \
        Continúan automáticamente cuando termina el plazo. Si no cambiaste la dirección, usa \
        {/cancel_address_change} y protege tu cuenta de Discord.",
    payouts_wait_for_address: "Tus pagos salientes esperan: tu dirección de pago no es la que el sistema \
        conoce. Compárala en {/account} y registra otra vez la correcta con {/set_address}.",
    key_replaced: "Tu clave de API se cambió; la antigua ya no vale. Si no fuiste tú, protege tu cuenta de \
        Discord y usa otra vez {/rotate_key}.",
    key_replaced_gently: "Tu clave de API se cambió; la antigua vale 24 horas más. Si no fuiste tú, \
        protege tu cuenta de Discord y usa otra vez {/rotate_key}.",
    secret_replaced: "Tu secreto de webhooks se cambió; durante 24 horas firman ambos. Si no fuiste tú, \
        protege tu cuenta de Discord y usa dos veces {/rotate_webhook_secret}.",
    subscription_ends: "Tu suscripción termina {when} ({date}). Pide antes a un administrador que la \
        prolongue, para que tu tienda siga. {/subscription}",
    subscription_ended: "Tu suscripción ha terminado: se rechazan pagos nuevos. Los abiertos siguen y \
        todo se paga. Pide a un administrador que la prolongue; {/subscription} muestra cuándo la tienes.",
    node_away: "Desde hace más de {minutes} {minutes|minuto|minutos} no estamos en la punta del nodo: \
        {why}. Los pagos se aceptan, pero no se ven. {/node}",
    node_behind: "el nodo está en el bloque {height}, {behind} detrás de sus cabeceras",
    node_did_not_answer: "el nodo no respondió en {n} {n|segundo|segundos}; `litegate doctor` dice por \
        qué",
    node_back: "Estamos otra vez en la punta del nodo. {/node}",
    sweep_stuck: "El envío {sweep} espera un bloque desde hace más de dos horas: transacción `{txid}`. \
        {/node} muestra el nodo; `litegate sweep` lo envía de nuevo.",
    sweeper_stuck: "Desde hace media hora no se envían fondos: {trouble}. Los pagos se aceptan y esperan. \
        `litegate doctor` busca la razón.",
    sweep_damaged: "Los bytes guardados del envío `{txid}` están dañados: por el disco o por una mano en la base de \
        datos. Así no se envía; con la clave en esta máquina se firma de nuevo. `litegate doctor` muestra lo que \
        queda.",
    payouts_of_merchant_wait: "Los pagos salientes de `{merchant}` esperan: {why}. `litegate doctor` dice qué \
        hacer.",
    payment_lost: "El pago `{id}` se completó, pero la mejor cadena ya no contiene sus monedas: una \
        reorganización profunda. Al comerciante se le dijo que está pagado. `litegate payment show {id}` \
        y `litegate audit` muestran lo que falta.",
    suspect: "El guardián de la cadena está activo: {reason}. Los pagos que salen de MWEB y los envíos esperan. `litegate \
        chain-guard` lo muestra y puede terminarlo.",
    low_disk: "Al disco de la base de datos le quedan {n} MB. Cuando esté lleno, se rechazarán pagos \
        nuevos. Haz sitio; `litegate doctor` lo mira de nuevo.",
    zmq_silent: "El ZMQ del nodo no dice nada. Los pagos se notan preguntando al nodo una y otra vez, algo \
        más tarde que de costumbre. {/node} lo muestra; `litegate doctor` busca la razón.",
    zmq_back: "Los pagos se notan otra vez como está configurado. {/node}",
    fee_too_high: "Hay monedas que no se envían, porque la comisión sería más de \
        `sweeper.max_fee_percent` de ellas. Salen cuando bajen las comisiones o se junten más. \
        {/sweep_now} muestra lo que está listo.",
    too_much_hot: "{waiting} LTC esperan su envío bajo la clave de esta máquina, más que los {limit} LTC de \
        `sweeper.max_hot_balance`. {/sweep_now} envía lo que está listo; `litegate sweep --dry-run` dice a qué \
        espera el resto.",
    audit_found: "La auditoría encontró {n} {n|diferencia|diferencias}: hay litoshis que no están donde \
        deberían. `litegate audit` nombra cada una.",
    audit_clean: "La auditoría está limpia de nuevo: se da cuenta de cada litoshi. `litegate audit`",
};
