# Refusals of operations.

## Accounts, payments and limits.

unknown-merchant = No existe el comerciante { $id }.
unknown-payment = No existe ese pago.
unknown-event = No existe ese evento de webhook.
nothing-confirmed = Todavía no hay ninguna moneda confirmada. Acepte el pago cuando la haya.
payment-has-coins = El pago ya tiene monedas y no se puede cancelar.
rate-unavailable = Ahora no hay un tipo de cambio fiable para { $currency }. Inténtelo más tarde.
discord-user-taken = Este usuario de Discord ya tiene una cuenta de comerciante: { $id }.
subscription-inactive = La suscripción no está activa; pídesela a un administrador.
account-suspended = La cuenta está suspendida; consulta a un administrador.
account-suspended-already = La cuenta ya está suspendida.
account-not-suspended = La cuenta no está suspendida.
payout-address-missing = No hay ninguna dirección de pago registrada; registra una primero: `/set_address`.
starting = La pasarela está arrancando: su nodo aún no ha respondido si esta cuenta ya se usó antes. Inténtalo de nuevo en un minuto.
too-many-open = Hay { $n ->
        [one] { $n } pago abierto
       *[other] { $n } pagos abiertos
    }; espera a que algunos se paguen o venzan.
daily-limit = Como máximo { $n } al día; inténtalo más tarde.
idempotency-key-reused = La idempotency-key ya se usó con otra solicitud.
chain-suspect = El guardián de la cadena está activo: mientras tanto no se paga nada (`litegate chain-guard`).
no-address-change = No hay ningún cambio de dirección de pago en espera.
too-many-address-changes = La dirección de pago se cambió { $n } veces en un día. Vuelve a intentarlo mañana.

## The second factor.

factor-code-needed = Hace falta un código de tu aplicación de autenticación.
factor-wrong-code = El código no es correcto. Con { $n ->
        [one] { $n } código incorrecto
       *[other] { $n } códigos incorrectos
    } más, el segundo factor se bloquea 15 minutos.
factor-wrong-first-code = El código no es correcto. Comprueba el reloj del dispositivo que tiene la aplicación.
factor-used-code = Este código ya se usó. Espera al siguiente.
factor-locked = Demasiados códigos incorrectos. Vuelve a intentarlo en { $n ->
        [one] { $n } minuto
       *[other] { $n } minutos
    }.
factor-unusable = No se puede verificar el segundo factor. Pide al operador que lo restablezca.
factor-enabled-already = El segundo factor ya está activado. Desactívalo primero.
factor-not-enabled = El segundo factor no está activado.
factor-not-begun = Ningún segundo factor espera su primer código. Empieza de nuevo.

## Values that are not allowed.

address-empty = La dirección no puede estar vacía.
address-too-long = Es demasiado larga para una dirección de Litecoin.
address-whitespace = La dirección no puede contener espacios ni saltos de línea.
address-mixed-case = La dirección mezcla mayúsculas y minúsculas; comprueba que se copió entera.
address-other-network = Es una dirección de la red { $network }; esta pasarela está en otra.
address-bitcoin = Es una dirección de Bitcoin; da una de Litecoin.
address-mweb = Es una dirección MWEB, a la que no se puede pagar; da una normal como ltc1q…
address-checksum = La dirección está mal escrita: su suma de control no encaja.
address-witness-version = La dirección tiene una versión de testigo que los nodos de Litecoin no transmiten.
address-unknown = No es una dirección de Litecoin.
address-own = Es una dirección de esta pasarela; da una de tu propia cartera.
name-empty = El nombre no puede estar vacío.
name-too-long = El nombre puede tener 64 caracteres como máximo.
name-unprintable = El nombre no puede contener caracteres de control ni marcas que cambien la dirección del texto.
amount-not-a-number = El importe debe ser un número decimal como 0.05.
amount-negative = El importe no puede ser negativo.
amount-too-large = El importe no puede pasar de 84000000.
amount-too-precise = El importe puede tener 8 decimales como máximo.
amount-too-small = El importe debe ser de al menos { $least } LTC.
reference-bad = El pedido puede tener { $max } caracteres como máximo, ninguno invisible.
url-too-long = La URL es demasiado larga.
url-not-a-url = La URL debe ser completa, como https://shop.example/webhook.
url-scheme = La URL debe empezar por https:// o http://.
url-credentials = La URL no puede contener usuario ni contraseña.
url-not-public = La URL no puede llevar a una dirección privada o especial.
url-port = La URL debe usar un puerto que el operador permita, como 443.
confirmations-range = Las confirmaciones deben estar entre 1 y { $max }.
tiers-too-many = Puede haber { $max } tramos como máximo.
tiers-order = Los importes de los tramos deben subir y las confirmaciones no deben bajar.
tiers-syntax = Indique un número como 3, o tramos como `1 below 0.2, 3 below 2`.
tolerance-bad = La tolerancia debe ser un número de 0 a 10 con 2 decimales como máximo, en porcentaje.
events-bad = Los eventos deben ser una lista de seen, partly_paid, expired, late y replaced.
currency-bad = La moneda debe tener tres letras de ISO 4217, por ejemplo EUR.
currency-not-offered = Aquí no se ofrecen precios en { $currency }.
price-too-large = El precio en { $currency } es demasiado alto.
price-too-precise = Un precio en { $currency } puede tener { $n } decimales como máximo.
days-range = Los días deben estar entre 1 y { $max }.
announcement-length = El texto debe tener de 1 a { $max } caracteres.
not-for-merchants = Elige algo que se diga a los comerciantes.
month-bad = Indica un año y un mes, como 2026-11.
bad-cursor = Ese lugar de la lista no existe.
bad-state = Elige previsto, entregado o abandonado.
