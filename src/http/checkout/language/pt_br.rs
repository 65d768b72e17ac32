//! The checkout in Brazilian Portuguese.

use super::Words;

pub(super) const WORDS: Words = Words {
    pay: "Pague {amount}",
    more: "Envie mais {due}",
    seen: "Pagamento visto",
    confirmed: "{n} de {m} confirmações",
    paid: "Pago",
    expired: "O tempo acabou",
    late: "Chegou atrasado",
    unknown: "Este pagamento não existe",
    limited: "Um momento, por favor",
    waiting_hint: "Escaneie o código com sua carteira Litecoin, ou copie valor e endereço. De um \
        saldo MWEB, aparece com o próximo bloco.",
    partly_hint: "Chegaram {received} de {amount}. Envie o restante para o mesmo endereço.",
    replaced_hint: "A transação que vimos foi retirada. Aguardando um pagamento.",
    seen_hint: "Aguarda a primeira confirmação. Você pode fechar esta página; a loja é avisada \
        automaticamente.",
    confirming_hint: "Uma confirmação leva cerca de 2½ min; faltam cerca de {left} min. Você pode \
        fechar esta página; a loja é avisada automaticamente.",
    paid_hint: "{amount} recebidos. Obrigado.",
    overpaid_hint: "{received} recebidos, {surplus} a mais do que o pedido. Fale com a loja.",
    expired_hint: "Não envie mais nada para este pagamento. Faça um novo pedido na loja.",
    expired_partly_hint: "Só {received} de {amount} chegaram a tempo. Não envie mais: fale com a \
        loja e informe o número do pagamento abaixo.",
    late_hint: "{received} chegaram depois do prazo. O dinheiro não se perdeu. Fale com a loja e \
        informe o número do pagamento abaixo.",
    unknown_hint: "Não há pagamento neste endereço. Confira o link ou comece de novo na loja. \
        Não envie dinheiro.",
    limited_hint: "Vieram pedidos demais da sua conexão. Verifique de novo em {n} s. Um \
        pagamento enviado não se perde.",
    delayed: "No momento vemos os pagamentos com atraso. Não pague duas vezes.",
    quoted: "{sum}, segundo {shop}",
    order: "Pedido",
    qr: "Código QR do pagamento",
    open_wallet: "Abrir na carteira",
    no_wallet: "Nenhuma carteira abriu? Escaneie o código ou copie o endereço.",
    amount: "Valor",
    address: "Endereço",
    link: "Link de pagamento",
    copy: "Copiar",
    copied: "Copiado",
    selected: "Selecionado: copie pelo menu",
    time_left: "Tempo restante",
    until: "até {time}",
    minutes: "{n} min",
    hours: "{n} h",
    confirmations: "Confirmações",
    transaction: "Transação",
    back: "Voltar para {host}",
    check_again: "Verificar de novo",
    payment: "Pagamento",
    language: "Idioma",
};
