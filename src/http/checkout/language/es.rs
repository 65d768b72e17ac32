//! The checkout in Spanish.

use super::Words;

pub(super) const WORDS: Words = Words {
    pay: "Paga {amount}",
    more: "Envía {due} más",
    seen: "Pago visto",
    confirmed: "{n} de {m} confirmaciones",
    paid: "Pagado",
    expired: "Se acabó el tiempo",
    late: "Llegó tarde",
    unknown: "Este pago no existe",
    limited: "Un momento, por favor",
    waiting_hint: "Escanea el código con tu monedero Litecoin, o copia importe y dirección. \
        Desde un saldo MWEB aparece con el próximo bloque.",
    partly_hint: "Llegaron {received} de {amount}. Envía el resto a la misma dirección.",
    replaced_hint: "La transacción que vimos fue retirada. Esperamos un pago.",
    seen_hint: "Espera su primera confirmación. Puedes cerrar esta página; la tienda recibe el \
        aviso por sí sola.",
    confirming_hint: "Una confirmación tarda unos 2½ min; faltan unos {left} min. Puedes cerrar \
        esta página; la tienda recibe el aviso por sí sola.",
    paid_hint: "{amount} recibidos. Gracias.",
    overpaid_hint: "{received} recibidos, {surplus} más de lo pedido. Consulta a la tienda.",
    expired_hint: "No envíes nada más a este pago. Haz un nuevo pedido en la tienda.",
    expired_partly_hint: "Solo {received} de {amount} llegaron a tiempo. No envíes más: consulta \
        a la tienda e indica el número de pago de abajo.",
    late_hint: "{received} llegaron cuando el tiempo había acabado. El dinero no se ha perdido. \
        Contacta con la tienda e indica el número de pago de abajo.",
    unknown_hint: "No hay ningún pago en esta dirección. Revisa el enlace o empieza de nuevo en \
        la tienda. No envíes dinero.",
    limited_hint: "Llegaron demasiadas solicitudes desde tu conexión. Vuelve a mirar en {n} s. \
        Un pago enviado no se pierde.",
    delayed: "Ahora vemos los pagos con retraso. No pagues dos veces.",
    quoted: "{sum}, según {shop}",
    order: "Pedido",
    qr: "Código QR del pago",
    open_wallet: "Abrir en el monedero",
    no_wallet: "¿No se abrió ningún monedero? Escanea el código o copia la dirección.",
    amount: "Importe",
    address: "Dirección",
    link: "Enlace de pago",
    copy: "Copiar",
    copied: "Copiado",
    selected: "Seleccionado: cópialo desde el menú",
    time_left: "Tiempo restante",
    until: "hasta las {time}",
    minutes: "{n} min",
    hours: "{n} h",
    confirmations: "Confirmaciones",
    transaction: "Transacción",
    back: "Volver a {host}",
    check_again: "Comprobar de nuevo",
    payment: "Pago",
    language: "Idioma",
};
