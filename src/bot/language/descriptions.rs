//! What each command and each option does, in the languages of those who use Discord in them. What
//! stands here never changes what a command does.

use super::Line;

pub(super) const DESCRIPTIONS: [Line; 63] = [
    (
        "help",
        [
            "Wo du stehst und was als Nächstes kommt",
            "Dónde estás y qué sigue",
            "Où vous en êtes et la suite",
            "Onde você está e o que vem a seguir",
        ],
    ),
    (
        "set_address",
        [
            "Die Litecoin-Adresse eintragen, an die dein Geld ausgezahlt wird",
            "Registrar la dirección de Litecoin a la que se paga tu dinero",
            "Enregistrer l'adresse Litecoin où votre argent est versé",
            "Registrar o endereço Litecoin para onde seu dinheiro vai",
        ],
    ),
    (
        "set_address ltc_address",
        [
            "Eine gewöhnliche Litecoin-Adresse deiner eigenen Wallet",
            "Una dirección de Litecoin normal de tu propia cartera",
            "Une adresse Litecoin ordinaire de votre propre portefeuille",
            "Um endereço Litecoin comum da sua própria carteira",
        ],
    ),
    (
        "cancel_address_change",
        [
            "Eine Änderung der Auszahlungsadresse abbrechen, die noch nicht gilt",
            "Cancelar un cambio de dirección de pago que aún no vale",
            "Annuler un changement d'adresse qui n'a pas encore pris effet",
            "Cancelar uma mudança de endereço que ainda não vale",
        ],
    ),
    (
        "view_key",
        [
            "Deinen API-Schlüssel zeigen; nur du siehst die Antwort",
            "Mostrar tu clave de API; solo tú ves la respuesta",
            "Montrer votre clé d'API ; vous seul voyez la réponse",
            "Mostrar sua chave de API; só você vê a resposta",
        ],
    ),
    (
        "rotate_key",
        [
            "Deinen API-Schlüssel ersetzen",
            "Cambiar tu clave de API",
            "Remplacer votre clé d'API",
            "Trocar sua chave de API",
        ],
    ),
    (
        "rotate_key old_key",
        [
            "Was aus dem alten Schlüssel wird; ohne Wahl gilt er sofort nicht mehr",
            "Qué pasa con la clave antigua; sin elegir deja de valer al instante",
            "Ce que devient l'ancienne clé ; sans choix elle cesse aussitôt de valoir",
            "O que acontece com a chave antiga; sem escolha ela deixa de valer na hora",
        ],
    ),
    (
        "view_webhook_secret",
        [
            "Das Geheimnis zeigen, mit dem deine Webhooks signiert sind; nur du siehst es",
            "Mostrar el secreto que firma tus webhooks; solo tú ves la respuesta",
            "Montrer le secret qui signe vos webhooks ; vous seul voyez la réponse",
            "Mostrar o segredo que assina seus webhooks; só você vê a resposta",
        ],
    ),
    (
        "rotate_webhook_secret",
        [
            "Das Geheimnis der Webhooks ersetzen; einen Tag lang signieren beide",
            "Cambiar el secreto que firma los webhooks; ambos firman un día",
            "Remplacer le secret des webhooks ; les deux signent pendant un jour",
            "Trocar o segredo que assina os webhooks; ambos assinam por um dia",
        ],
    ),
    (
        "second_factor",
        [
            "Auszahlungsadresse und API-Schlüssel durch eine Authenticator-App schützen",
            "Proteger tu dirección de pago y tu clave de API con una aplicación",
            "Protéger l'adresse de versement et la clé d'API par une application",
            "Proteger o endereço de pagamento e a chave de API com um aplicativo",
        ],
    ),
    (
        "second_factor enable",
        [
            "Eine Authenticator-App verwenden",
            "Empezar a usar una aplicación de autenticación",
            "Commencer à utiliser une application d'authentification",
            "Começar a usar um aplicativo autenticador",
        ],
    ),
    (
        "second_factor disable",
        [
            "Die Authenticator-App nicht mehr verwenden; dazu gehört noch ein Code",
            "Dejar de usar la aplicación de autenticación; hace falta un código más",
            "Ne plus utiliser l'application d'authentification ; il faut encore un code",
            "Deixar de usar o aplicativo autenticador; é preciso mais um código",
        ],
    ),
    (
        "set_business_name",
        [
            "Den Namen ändern, den Kunden auf der Bezahlseite sehen",
            "Cambiar el nombre que ven los compradores al pagar",
            "Changer le nom que les clients voient au paiement",
            "Mudar o nome que os clientes veem ao pagar",
        ],
    ),
    (
        "set_business_name name",
        [
            "1 bis 64 Zeichen",
            "De 1 a 64 caracteres",
            "De 1 à 64 caractères",
            "De 1 a 64 caracteres",
        ],
    ),
    (
        "set_confirmations",
        [
            "Ändern, wie viele Bestätigungen deine Zahlungen brauchen",
            "Cambiar cuántas confirmaciones necesitan tus pagos",
            "Changer le nombre de confirmations de vos paiements",
            "Mudar quantas confirmações seus pagamentos precisam",
        ],
    ),
    (
        "set_confirmations confirmations",
        [
            "1 bis 250, für neue Zahlungen; alle 2,5 Minuten kommt ein Block",
            "De 1 a 250, para pagos nuevos; hay un bloque cada 2,5 minutos",
            "De 1 à 250, pour les nouveaux paiements ; un bloc toutes les 2,5 minutes",
            "De 1 a 250, para novos pagamentos; há um bloco a cada 2,5 minutos",
        ],
    ),
    (
        "subscription",
        [
            "Zeigen, bis wann du Zahlungen annehmen kannst",
            "Mostrar hasta cuándo puedes recibir pagos",
            "Montrer jusqu'à quand vous pouvez recevoir des paiements",
            "Mostrar até quando você pode receber pagamentos",
        ],
    ),
    (
        "notifications",
        [
            "Zeigen, was dir gesagt wurde und was dich nicht erreichen konnte",
            "Mostrar lo que se te dijo y lo que no se te pudo enviar",
            "Montrer ce qui vous a été dit ou n'a pas pu vous être envoyé",
            "Mostrar o que foi dito a você e o que não pôde ser enviado",
        ],
    ),
    (
        "notification_settings",
        [
            "Wählen, was dir gesagt wird und wie",
            "Elegir qué se te dice y cómo",
            "Choisir ce qui vous est dit et comment",
            "Escolher o que é dito a você e como",
        ],
    ),
    (
        "notification_settings kind",
        [
            "Was gesagt werden soll; ohne Angabe wird alles aufgelistet",
            "Qué decirte; sin ello se listan todos",
            "Ce qu'il faut vous dire ; sans cela, tout est listé",
            "O que dizer; sem isso, todos são listados",
        ],
    ),
    (
        "notification_settings how",
        ["Wie du davon erfährst", "Cómo se te dice", "Comment vous le dire", "Como dizer a você"],
    ),
    (
        "docs",
        [
            "Wo die Anleitung zur Anbindung ist",
            "Dónde está la guía de integración",
            "Où se trouve le guide d'intégration",
            "Onde está o guia de integração",
        ],
    ),
    (
        "account",
        [
            "Zeigen, wie es um dein Konto steht",
            "Mostrar el estado de tu cuenta",
            "Montrer l'état de votre compte",
            "Mostrar a situação da sua conta",
        ],
    ),
    (
        "payments",
        [
            "Deine Zahlungen auflisten, die neuesten zuerst",
            "Listar tus pagos, los más nuevos primero",
            "Lister vos paiements, les plus récents d'abord",
            "Listar seus pagamentos, os mais novos primeiro",
        ],
    ),
    (
        "payments status",
        [
            "Nur die mit diesem Status",
            "Solo los que tienen este estado",
            "Seulement ceux de cet état",
            "Só os que têm este estado",
        ],
    ),
    (
        "payment",
        [
            "Eine deiner Zahlungen zeigen",
            "Mostrar uno de tus pagos",
            "Montrer un de vos paiements",
            "Mostrar um dos seus pagamentos",
        ],
    ),
    (
        "payment payment",
        [
            "Die Zahlung: Nummer, Bestellung oder Status eintippen",
            "El pago: escribe su id, pedido o estado",
            "Le paiement : tapez son id, sa commande ou son état",
            "O pagamento: digite o id, o pedido ou o estado",
        ],
    ),
    (
        "payouts",
        [
            "Auflisten, was dir ausgezahlt wurde, das Neueste zuerst",
            "Listar lo que se te pagó, lo más nuevo primero",
            "Lister ce qui vous a été versé, le plus récent d'abord",
            "Listar o que foi pago a você, o mais novo primeiro",
        ],
    ),
    (
        "payouts month",
        [
            "Ein Monat wie 2026-11: alles daraus als Datei für deine Bücher",
            "Un mes como 2026-11: todo él como archivo para tu contabilidad",
            "Un mois comme 2026-11 : tout en un fichier pour vos comptes",
            "Um mês como 2026-11: tudo dele em um arquivo para suas contas",
        ],
    ),
    (
        "resend_webhook",
        [
            "Den Webhook einer Zahlung noch einmal senden",
            "Enviar de nuevo el webhook de un pago",
            "Renvoyer le webhook d'un paiement",
            "Enviar de novo o webhook de um pagamento",
        ],
    ),
    (
        "resend_webhook payment",
        [
            "Die Zahlung: Nummer, Bestellung oder Status eintippen",
            "El pago: escribe su id, pedido o estado",
            "Le paiement : tapez son id, sa commande ou son état",
            "O pagamento: digite o id, o pedido ou o estado",
        ],
    ),
    (
        "set_webhook_url",
        [
            "Sagen, wohin Webhooks gehen, wenn eine Zahlung keine eigene URL nennt",
            "Decir a dónde van los webhooks cuando un pago no nombra su propia URL",
            "Dire où vont les webhooks quand un paiement ne nomme pas sa propre URL",
            "Dizer para onde vão os webhooks quando um pagamento não tem URL própria",
        ],
    ),
    (
        "set_webhook_url url",
        [
            "Etwa https://shop.example/hook; none: nirgendwohin. Ohne Angabe: zeigt, was gilt",
            "Como https://shop.example/hook; none: a ningún lugar. Sin ella, muestra la actual",
            "Comme https://shop.example/hook ; none : nulle part. Sans elle, montre l'actuelle",
            "Como https://shop.example/hook; none: a lugar nenhum. Sem ela, mostra a atual",
        ],
    ),
    (
        "test_webhook",
        [
            "Einen signierten Test-Webhook an eine URL senden und das Ergebnis sehen",
            "Enviar un webhook de prueba firmado a una URL y ver el resultado",
            "Envoyer un webhook d'essai signé à une URL et voir le résultat",
            "Enviar um webhook de teste assinado a uma URL e ver o resultado",
        ],
    ),
    (
        "test_webhook url",
        [
            "Wo dein Shop Webhooks annimmt, etwa https://shop.example/hook",
            "Dónde recibe webhooks tu tienda, como https://shop.example/hook",
            "Où votre boutique reçoit les webhooks, comme https://shop.example/hook",
            "Onde sua loja recebe webhooks, como https://shop.example/hook",
        ],
    ),
    (
        "invoice",
        [
            "Eine Zahlung von Hand anlegen und einen Link für den Kunden bekommen",
            "Crear un pago a mano y obtener un enlace para el comprador",
            "Créer un paiement à la main et obtenir un lien pour le client",
            "Criar um pagamento à mão e receber um link para o cliente",
        ],
    ),
    (
        "invoice amount",
        [
            "Wie viele LTC, etwa 0.05",
            "Cuántos LTC, como 0.05",
            "Combien de LTC, comme 0.05",
            "Quantos LTC, como 0.05",
        ],
    ),
    (
        "invoice reference",
        [
            "Dein eigener Name dafür, etwa eine Bestellnummer",
            "Tu propio nombre para ello, como un número de pedido",
            "Votre propre nom pour cela, comme un numéro de commande",
            "Seu próprio nome para isso, como um número de pedido",
        ],
    ),
    (
        "grant_sub",
        [
            "Das Abonnement eines Händlers verlängern; legt das Konto an, wenn keines da ist",
            "Añadir días a la suscripción de un comerciante; abre la cuenta si no existe",
            "Ajouter des jours à l'abonnement d'un marchand ; ouvre le compte au besoin",
            "Somar dias à assinatura de um lojista; abre a conta se não houver",
        ],
    ),
    ("grant_sub user", ["Der Händler", "El comerciante", "Le marchand", "O lojista"]),
    (
        "grant_sub days",
        ["So viele Tage dazu", "Días que se añaden", "Jours à ajouter", "Dias a somar"],
    ),
    (
        "revoke_sub",
        [
            "Das Abonnement eines Händlers sofort beenden; offene Zahlungen gehen weiter",
            "Terminar ya la suscripción de un comerciante; los pagos abiertos siguen",
            "Finir l'abonnement d'un marchand ; les paiements ouverts continuent",
            "Encerrar já a assinatura de um lojista; pagamentos abertos seguem",
        ],
    ),
    ("revoke_sub user", ["Der Händler", "El comerciante", "Le marchand", "O lojista"]),
    (
        "suspend",
        [
            "Einen Händler keine neuen Zahlungen anlegen lassen; offene gehen weiter",
            "Impedir pagos nuevos a un comerciante; los abiertos siguen y se pagan",
            "Empêcher un marchand de créer des paiements ; les ouverts continuent",
            "Impedir novos pagamentos de um lojista; os abertos seguem",
        ],
    ),
    ("suspend user", ["Der Händler", "El comerciante", "Le marchand", "O lojista"]),
    (
        "unsuspend",
        [
            "Einen gesperrten Händler wieder Zahlungen anlegen lassen",
            "Permitir de nuevo pagos a un comerciante suspendido",
            "Permettre de nouveau les paiements à un marchand suspendu",
            "Permitir de novo pagamentos a um lojista suspenso",
        ],
    ),
    ("unsuspend user", ["Der Händler", "El comerciante", "Le marchand", "O lojista"]),
    (
        "merchants",
        [
            "Die Händler auflisten, die neuesten zuerst",
            "Listar los comerciantes, los más nuevos primero",
            "Lister les marchands, les plus récents d'abord",
            "Listar os lojistas, os mais novos primeiro",
        ],
    ),
    (
        "merchant",
        [
            "Einen Händler zeigen: Abonnement, Adresse, Summen, Fehler",
            "Mostrar un comerciante: suscripción, dirección, sumas, fallos",
            "Montrer un marchand : abonnement, adresse, sommes, échecs",
            "Mostrar um lojista: assinatura, endereço, somas, falhas",
        ],
    ),
    (
        "merchant merchant",
        [
            "Name oder Kennung eintippen",
            "Escribe un nombre o un id",
            "Tapez un nom ou un id",
            "Digite um nome ou um id",
        ],
    ),
    (
        "stats",
        [
            "Wie es läuft: Zahlungen, Geld, Zeiten, Webhooks",
            "Cómo va: pagos, dinero, tiempos, webhooks",
            "Comment ça va : paiements, argent, durées, webhooks",
            "Como vai: pagamentos, dinheiro, tempos, webhooks",
        ],
    ),
    (
        "node",
        [
            "Den Knoten zeigen: Höhe, Rückstand, Nachbarn, Mempool, ZMQ, Versionen",
            "Mostrar el nodo: altura, retraso, pares, mempool, ZMQ, versiones",
            "Montrer le nœud : hauteur, retard, pairs, mempool, ZMQ, versions",
            "Mostrar o nó: altura, atraso, pares, mempool, ZMQ, versões",
        ],
    ),
    (
        "sweep_now",
        [
            "Jetzt auszahlen, was bereit ist, statt beim nächsten Mal",
            "Pagar ahora lo que está listo, sin esperar al próximo turno",
            "Verser maintenant ce qui est prêt, sans attendre la suite",
            "Pagar agora o que está pronto, sem esperar a próxima vez",
        ],
    ),
    (
        "webhooks",
        [
            "Sich um aufgegebene Webhooks kümmern",
            "Ocuparse de los webhooks abandonados",
            "S'occuper des webhooks abandonnés",
            "Cuidar dos webhooks abandonados",
        ],
    ),
    (
        "webhooks failed",
        [
            "Aufgegebene Webhooks auflisten, die neuesten zuerst",
            "Listar los webhooks abandonados, los más nuevos primero",
            "Lister les webhooks abandonnés, les plus récents d'abord",
            "Listar os webhooks abandonados, os mais novos primeiro",
        ],
    ),
    (
        "webhooks resend",
        [
            "Alle aufgegebenen Webhooks eines Händlers noch einmal senden",
            "Enviar de nuevo todos los webhooks abandonados de un comerciante",
            "Renvoyer tous les webhooks abandonnés d'un marchand",
            "Enviar de novo todos os webhooks abandonados de um lojista",
        ],
    ),
    (
        "webhooks resend merchant",
        [
            "Name oder Nummer eintippen",
            "Escribe un nombre o un id",
            "Tapez un nom ou un id",
            "Digite um nome ou um id",
        ],
    ),
    (
        "audit_log",
        [
            "Zeigen, wer was getan hat, das Neueste zuerst",
            "Mostrar quién hizo qué, lo más nuevo primero",
            "Montrer qui a fait quoi, le plus récent d'abord",
            "Mostrar quem fez o quê, o mais novo primeiro",
        ],
    ),
    (
        "audit_log merchant",
        [
            "Nur, was diesen Händler betrifft",
            "Solo lo que atañe a este comerciante",
            "Seulement ce qui concerne ce marchand",
            "Só o que diz respeito a este lojista",
        ],
    ),
    (
        "announce",
        [
            "Allen Händlern etwas sagen, im Kanal für Mitteilungen",
            "Decir algo a todos los comerciantes, en el canal de avisos",
            "Dire quelque chose à tous les marchands, dans le salon des avis",
            "Dizer algo a todos os lojistas, no canal de avisos",
        ],
    ),
    (
        "announce text",
        [
            "Was zu sagen ist; Auszeichnungen werden gezeigt, wie sie sind",
            "Qué decir; el formato se muestra tal cual",
            "Que dire ; la mise en forme est montrée telle quelle",
            "O que dizer; a formatação aparece como está",
        ],
    ),
    (
        "setup",
        [
            "Server, Rolle und Kanäle prüfen, die eingestellt sind",
            "Comprobar el servidor, el rol y los canales configurados",
            "Vérifier le serveur, le rôle et les salons configurés",
            "Verificar o servidor, o cargo e os canais configurados",
        ],
    ),
    (
        "config",
        [
            "Die geltenden Werte zeigen; geändert werden sie in der Konfigurationsdatei",
            "Mostrar los valores vigentes; se cambian en el archivo de configuración",
            "Montrer les valeurs en vigueur ; elles se changent dans le fichier",
            "Mostrar os valores em vigor; mudam-se no arquivo de configuração",
        ],
    ),
];

/// Choices by their English names.
pub(super) const CHOICES: [Line; 8] = [
    (
        "by direct message",
        ["per Direktnachricht", "por mensaje directo", "par message privé", "por mensagem direta"],
    ),
    (
        "in the channel: that something waits, not what",
        [
            "im Kanal: dass etwas wartet, nicht was",
            "en el canal: que algo espera, no qué",
            "dans le salon : que quelque chose attend, pas quoi",
            "no canal: que algo espera, não o quê",
        ],
    ),
    ("not at all", ["gar nicht", "de ninguna manera", "pas du tout", "de jeito nenhum"]),
    (
        "it is dead at once (0 hours)",
        [
            "er gilt sofort nicht mehr (0 Stunden)",
            "deja de valer al instante (0 horas)",
            "elle ne vaut plus aussitôt (0 heure)",
            "deixa de valer na hora (0 horas)",
        ],
    ),
    (
        "it is taken for 24 more hours",
        [
            "er gilt noch 24 Stunden",
            "vale 24 horas más",
            "elle vaut encore 24 heures",
            "vale por mais 24 horas",
        ],
    ),
    ("pending", ["offen", "pendiente", "en attente", "pendente"]),
    ("completed", ["abgeschlossen", "completo", "terminé", "completo"]),
    ("expired", ["abgelaufen", "vencido", "expiré", "vencido"]),
];

/// The description of a command, or of a command and its option.
pub(super) fn of(path: &str, column: usize) -> Option<&'static str> {
    let (_, texts) = DESCRIPTIONS.iter().find(|(of, _)| *of == path)?;
    texts.get(column).copied()
}

/// The name of a choice.
pub(super) fn of_choice(name: &str, column: usize) -> Option<&'static str> {
    let (_, texts) = CHOICES.iter().find(|(of, _)| *of == name)?;
    texts.get(column).copied()
}
