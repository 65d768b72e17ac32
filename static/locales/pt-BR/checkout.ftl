# The checkout page. Plain text only: no markup and no straight quotes.

## Titles, one for each state of a payment.

pay = Pague { $amount }
more = Envie mais { $due }
seen = Pagamento detectado
confirmed = { $n } de { $m } confirmações
paid = Pago
expired = Pagamento expirado
cancelled = Pagamento cancelado
late = O pagamento chegou atrasado
unknown = Pagamento não encontrado
limited = Um momento, por favor

## The text below the title.

waiting-hint = Escaneie o código com sua carteira Litecoin, ou copie o valor e o endereço. Um pagamento de um saldo MWEB aparece com o próximo bloco.
partly-hint = Chegaram { $received } de { $amount }. Envie o restante para o mesmo endereço.
replaced-hint = A transação detectada foi retirada. Aguardando um pagamento.
seen-hint = Aguarda a primeira confirmação. Você pode fechar esta página.{ $notified ->
        [yes] {" "}A loja é avisada automaticamente.
       *[no] {""}
    }
confirming-hint = Uma confirmação leva cerca de 2½ min. Faltam cerca de { $left } min. Você pode fechar esta página.{ $notified ->
        [yes] {" "}A loja é avisada automaticamente.
       *[no] {""}
    }
paid-hint = { $amount } recebidos. Obrigado.
overpaid-hint = { $received } recebidos, { $surplus } a mais do que o pedido. Fale com a loja sobre a diferença.
paid-short-hint = { $received } de { $amount } recebidos. A loja aceita o pagamento. Obrigado.
expired-hint = Não envie mais nada para este pagamento. Faça um novo pedido na loja.
cancelled-hint = A loja cancelou este pagamento. Não envie nada.
expired-partly-hint = Só { $received } de { $amount } chegaram a tempo. Não envie mais. Fale com a loja e informe o número do pagamento abaixo.
late-hint = { $received } chegaram depois que o pagamento expirou. O dinheiro não se perdeu. Fale com a loja e informe o número do pagamento abaixo.
unknown-hint = Este pagamento não foi encontrado. Confira o link ou comece de novo na loja. Não envie dinheiro.
limited-hint = Há solicitações demais da sua conexão. Verifique de novo em { $n } s. Um pagamento enviado não se perde.
delayed = No momento os pagamentos são detectados com atraso. Não pague duas vezes.
quoted = { $sum }, segundo { $shop }
decimal-sign = ,
price = { $currency } { $sum }
rate-held = { $price } = { $amount }. A cotação vale até { $time }.

## Labels and buttons.

order = Pedido
qr = Código QR do pagamento
open-wallet = Abrir na carteira
no-wallet = Nenhuma carteira abriu? Escaneie o código ou copie o endereço.
amount = Valor
address = Endereço
link = Link de pagamento
copy = Copiar
copied = Copiado
selected = Selecionado: copie pelo menu
time-left = Tempo restante
until = até { $time }
minutes = { $n } min
hours = { $n } h
confirmations = Confirmações
transaction = Transação
back = Voltar para { $host }
check-again = Verificar de novo
payment = Pagamento
language = Idioma
