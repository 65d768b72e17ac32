# Refusals of operations.

## Accounts, payments and limits.

unknown-merchant = Não existe o lojista { $id }.
unknown-payment = Esse pagamento não existe.
unknown-event = Esse evento de webhook não existe.
nothing-confirmed = Nenhuma moeda do pagamento foi confirmada ainda. Aceite-o depois.
payment-has-coins = O pagamento já tem moedas e não pode ser cancelado.
rate-unavailable = Não há uma cotação confiável para { $currency } no momento. Tente mais tarde.
discord-user-taken = Este usuário do Discord já tem uma conta de lojista: { $id }.
subscription-inactive = A assinatura não está ativa; peça a um administrador.
account-suspended = A conta está suspensa; fale com um administrador.
account-suspended-already = A conta já está suspensa.
account-not-suspended = A conta não está suspensa.
payout-address-missing = Nenhum endereço de pagamento está registrado; registre um primeiro: `/set_address`.
starting = O gateway está iniciando: o nó dele ainda não respondeu se esta conta já foi usada antes. Tente de novo em um minuto.
too-many-open = { $n ->
        [one] { $n } pagamento está aberto
       *[other] { $n } pagamentos estão abertos
    }; espere até que alguns sejam pagos ou vençam.
daily-limit = No máximo { $n } por dia; tente de novo mais tarde.
idempotency-key-reused = A idempotency-key já foi usada com outro pedido.
chain-suspect = O guardião da cadeia está ativo: enquanto isso nada é repassado (`litegate chain-guard`).
no-address-change = Nenhuma mudança do endereço de pagamento está à espera.
too-many-address-changes = O endereço de pagamento foi mudado { $n } vezes em um dia. Tente de novo amanhã.

## The second factor.

factor-code-needed = É preciso um código do seu aplicativo autenticador.
factor-wrong-code = O código está errado. Com mais { $n ->
        [one] { $n } código errado
       *[other] { $n } códigos errados
    }, o segundo fator fica bloqueado por 15 minutos.
factor-wrong-first-code = O código está errado. Confira o relógio do aparelho com o aplicativo.
factor-used-code = Este código já foi usado. Espere o próximo.
factor-locked = Códigos errados demais. Tente de novo em { $n ->
        [one] { $n } minuto
       *[other] { $n } minutos
    }.
factor-unusable = Não é possível verificar o segundo fator. Peça ao operador que o redefina.
factor-enabled-already = O segundo fator já está ativado. Desative-o primeiro.
factor-not-enabled = O segundo fator não está ativado.
factor-not-begun = Nenhum segundo fator espera o primeiro código. Comece de novo.

## Values that are not allowed.

address-empty = O endereço não pode estar vazio.
address-too-long = É longo demais para um endereço Litecoin.
address-whitespace = O endereço não pode conter espaços nem quebras de linha.
address-mixed-case = O endereço mistura maiúsculas e minúsculas; verifique se foi copiado inteiro.
address-other-network = É um endereço da rede { $network }; este gateway está em outra.
address-bitcoin = É um endereço Bitcoin; dê um endereço Litecoin.
address-mweb = É um endereço MWEB, para o qual não se pode pagar; dê um comum como ltc1q…
address-checksum = O endereço está digitado errado: a soma de verificação não confere.
address-witness-version = O endereço tem uma versão de testemunha que os nós Litecoin não retransmitem.
address-unknown = Não é um endereço Litecoin.
address-own = É um endereço deste gateway; dê um da sua própria carteira.
name-empty = O nome não pode estar vazio.
name-too-long = O nome pode ter no máximo 64 caracteres.
name-unprintable = O nome não pode conter caracteres de controle nem marcas que mudem a direção do texto.
amount-not-a-number = O valor deve ser um número decimal como 0.05.
amount-negative = O valor não pode ser negativo.
amount-too-large = O valor não pode passar de 84000000.
amount-too-precise = O valor pode ter no máximo 8 casas decimais.
amount-too-small = O valor deve ser de pelo menos { $least } LTC.
reference-bad = O pedido pode ter no máximo { $max } caracteres, nenhum deles invisível.
url-too-long = A URL é longa demais.
url-not-a-url = A URL deve ser completa, como https://shop.example/webhook.
url-scheme = A URL deve começar com https:// ou http://.
url-credentials = A URL não pode conter nome de usuário nem senha.
url-not-public = A URL não pode levar a um endereço privado ou especial.
url-port = A URL deve usar uma porta que o operador permita, como 443.
confirmations-range = As confirmações devem ficar entre 1 e { $max }.
tiers-too-many = Pode haver no máximo { $max } faixas.
tiers-order = Os valores das faixas devem subir, e as confirmações não podem cair.
tiers-syntax = Informe um número como 3, ou faixas como `1 below 0.2, 3 below 2`.
tolerance-bad = A tolerância deve ser um número de 0 a 10 com no máximo 2 casas decimais, em porcentagem.
events-bad = Os eventos devem ser uma lista de seen, partly_paid, expired, late e replaced.
currency-bad = A moeda deve ter três letras da ISO 4217, por exemplo EUR.
currency-not-offered = Preços em { $currency } não são oferecidos aqui.
price-too-large = O preço em { $currency } é alto demais.
price-too-precise = Um preço em { $currency } pode ter no máximo { $n } casas decimais.
days-range = Os dias devem ficar entre 1 e { $max }.
announcement-length = O texto deve ter de 1 a { $max } caracteres.
not-for-merchants = Escolha algo que é dito a lojistas.
month-bad = Informe um ano e um mês, como 2026-11.
bad-cursor = Esse ponto da lista não existe.
bad-state = Escolha previsto, entregue ou abandonado.
