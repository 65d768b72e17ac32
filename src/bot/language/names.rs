//! What commands, their options and their choices are called in other languages. English names
//! stand at the commands; both ways a command is the same one, and whoever knows one name finds the
//! other in `static/docs/reference/discord-commands.md`.
//!
//! Discord's rules: names of commands and options are in small letters, without spaces, of 32
//! characters at most, and no two commands share one.

use super::Line;

/// Commands by their names, options by the name of their command and their own.
pub(super) const NAMES: [Line; 63] = [
    ("help", ["hilfe", "ayuda", "aide", "ajuda"]),
    ("set_address", ["adresse_setzen", "fijar_dirección", "définir_adresse", "definir_endereço"]),
    ("set_address ltc_address", ["ltc_adresse", "dirección_ltc", "adresse_ltc", "endereço_ltc"]),
    (
        "cancel_address_change",
        [
            "adressänderung_abbrechen",
            "cancelar_cambio_dirección",
            "annuler_changement_adresse",
            "cancelar_mudança_endereço",
        ],
    ),
    ("view_key", ["schlüssel_zeigen", "ver_clave", "voir_clé", "ver_chave"]),
    ("rotate_key", ["schlüssel_ersetzen", "cambiar_clave", "remplacer_clé", "trocar_chave"]),
    ("rotate_key old_key", ["alter_schlüssel", "clave_antigua", "ancienne_clé", "chave_antiga"]),
    (
        "view_webhook_secret",
        [
            "webhook_geheimnis_zeigen",
            "ver_secreto_webhook",
            "voir_secret_webhook",
            "ver_segredo_webhook",
        ],
    ),
    (
        "rotate_webhook_secret",
        [
            "webhook_geheimnis_ersetzen",
            "cambiar_secreto_webhook",
            "remplacer_secret_webhook",
            "trocar_segredo_webhook",
        ],
    ),
    ("second_factor", ["zweiter_faktor", "segundo_factor", "second_facteur", "segundo_fator"]),
    ("second_factor enable", ["einschalten", "activar", "activer", "ativar"]),
    ("second_factor disable", ["ausschalten", "desactivar", "désactiver", "desativar"]),
    ("set_business_name", ["shopnamen_setzen", "fijar_nombre", "définir_nom", "definir_nome"]),
    ("set_business_name name", ["name", "nombre", "nom", "nome"]),
    (
        "set_confirmations",
        [
            "bestätigungen_setzen",
            "fijar_confirmaciones",
            "définir_confirmations",
            "definir_confirmações",
        ],
    ),
    (
        "set_confirmations confirmations",
        ["bestätigungen", "confirmaciones", "confirmations", "confirmações"],
    ),
    ("subscription", ["abonnement", "suscripción", "abonnement", "assinatura"]),
    ("notifications", ["mitteilungen", "avisos", "avis", "avisos"]),
    (
        "notification_settings",
        ["benachrichtigungen", "notificaciones", "notification_settings", "notificações"],
    ),
    ("notification_settings kind", ["art", "tipo", "sorte", "tipo"]),
    ("notification_settings how", ["wie", "cómo", "comment", "como"]),
    ("docs", ["anleitung", "guía", "guide", "guia"]),
    ("account", ["konto", "cuenta", "compte", "conta"]),
    ("payments", ["zahlungen", "pagos", "paiements", "pagamentos"]),
    ("payments status", ["status", "estado", "état", "estado"]),
    ("payment", ["zahlung", "pago", "paiement", "pagamento"]),
    ("payment payment", ["zahlung", "pago", "paiement", "pagamento"]),
    ("payouts", ["auszahlungen", "envíos", "versements", "repasses"]),
    ("payouts month", ["monat", "mes", "mois", "mês"]),
    (
        "resend_webhook",
        ["webhook_wiederholen", "reenviar_webhook", "renvoyer_webhook", "reenviar_webhook"],
    ),
    ("resend_webhook payment", ["zahlung", "pago", "paiement", "pagamento"]),
    (
        "set_webhook_url",
        ["webhook_url_setzen", "fijar_url_webhook", "définir_url_webhook", "definir_url_webhook"],
    ),
    ("set_webhook_url url", ["url", "url", "url", "url"]),
    ("test_webhook", ["webhook_testen", "probar_webhook", "essayer_webhook", "testar_webhook"]),
    ("test_webhook url", ["url", "url", "url", "url"]),
    ("invoice", ["rechnung", "factura", "facture", "fatura"]),
    ("invoice amount", ["betrag", "importe", "montant", "valor"]),
    ("invoice reference", ["bestellung", "pedido", "commande", "pedido"]),
    (
        "grant_sub",
        ["abo_verlängern", "prolongar_suscripción", "prolonger_abonnement", "prolongar_assinatura"],
    ),
    ("grant_sub user", ["nutzer", "usuario", "utilisateur", "usuário"]),
    ("grant_sub days", ["tage", "días", "jours", "dias"]),
    (
        "revoke_sub",
        ["abo_beenden", "terminar_suscripción", "finir_abonnement", "encerrar_assinatura"],
    ),
    ("revoke_sub user", ["nutzer", "usuario", "utilisateur", "usuário"]),
    ("suspend", ["sperren", "suspender", "suspendre", "suspender"]),
    ("suspend user", ["nutzer", "usuario", "utilisateur", "usuário"]),
    ("unsuspend", ["entsperren", "reactivar", "réactiver", "reativar"]),
    ("unsuspend user", ["nutzer", "usuario", "utilisateur", "usuário"]),
    ("merchants", ["händlerliste", "comerciantes", "marchands", "lojistas"]),
    ("merchant", ["händler", "comerciante", "marchand", "lojista"]),
    ("merchant merchant", ["händler", "comerciante", "marchand", "lojista"]),
    ("stats", ["statistik", "estadísticas", "statistiques", "estatísticas"]),
    ("node", ["knoten", "nodo", "nœud", "nó"]),
    ("sweep_now", ["jetzt_auszahlen", "enviar_ahora", "verser_maintenant", "repassar_agora"]),
    (
        "webhooks",
        [
            "aufgegebene_webhooks",
            "webhooks_abandonados",
            "webhooks_abandonnés",
            "webhooks_abandonados",
        ],
    ),
    ("webhooks failed", ["auflisten", "listar", "lister", "listar"]),
    ("webhooks resend", ["wiederholen", "reenviar", "renvoyer", "reenviar"]),
    ("webhooks resend merchant", ["händler", "comerciante", "marchand", "lojista"]),
    ("audit_log", ["protokoll", "registro", "journal", "registro"]),
    ("audit_log merchant", ["händler", "comerciante", "marchand", "lojista"]),
    ("announce", ["ankündigen", "anunciar", "annoncer", "anunciar"]),
    ("announce text", ["text", "texto", "texte", "texto"]),
    ("setup", ["einrichtung", "instalación", "réglages", "instalação"]),
    ("config", ["werte", "valores", "valeurs", "valores"]),
];

/// Choices by what they are called in English.
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

/// What a command or an option is called.
pub(super) fn of(path: &str, column: usize) -> Option<&'static str> {
    in_table(&NAMES, path, column)
}

/// What a choice is called.
pub(super) fn of_choice(name: &str, column: usize) -> Option<&'static str> {
    in_table(&CHOICES, name, column)
}

fn in_table(table: &[Line], of: &str, column: usize) -> Option<&'static str> {
    let (_, names) = table.iter().find(|(known, _)| *known == of)?;
    names.get(column).copied()
}
