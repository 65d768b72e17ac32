# The Discord bot. The English file explains the ids.

## General.

no-address = nenhum
no-subscription = nenhuma
before-after =
    {"**"}Antes** { $before }
    {"**"}Depois** { $after }
n-of-m = { $n } de { $m }
n-confirmations = { $n ->
        [one] { $n } confirmação
       *[other] { $n } confirmações
    }
until-date = até { $date }
nothing-changed = Nada foi mudado.
button-leave = Deixar assim
kept-notifications = -# Você tem { $n ->
        [one] { $n } aviso
       *[other] { $n } avisos
    }: `/notifications` { $n ->
        [one] o
       *[other] os
    } mostra.

## Errors of commands.

ours = Algo deu errado do nosso lado; tente mais tarde (no registro como { $request }).
changed = Este comando mudou; recarregue o Discord e envie-o de novo.
has-parts = Este comando tem partes; escolha uma delas na lista.
not-understood = Uma das opções não foi entendida; escolha ou digite de novo.
bot-lacks = O bot não pode fazer isso aqui; falta a ele { $permissions }. Um administrador pode permitir.
permissions-unknown = O Discord não disse o que é permitido aqui; envie de novo.
not-usable = Este comando não está disponível aqui; `/help` mostra os comandos.

## The account.

title-help = Aceitar Litecoin em três passos
help =
    { $address } **Endereço de pagamento**: `/set_address` diz para onde vai seu dinheiro.
    { $subscription } **Assinatura**{ $until }: um administrador a concede a você.
    { $key } **Chave de API**: `/view_key` a mostra; sua loja a envia com cada pedido. `/docs` tem exemplos.

    {"**"}Dinheiro**: `/payments` `/payment` `/accept` `/cancel_payment` `/payouts` `/account` `/invoice`
    {"**"}Conta**: `/set_business_name` `/set_confirmations` `/set_tolerance` `/set_events` `/subscription` `/cancel_address_change` `/rotate_key` `/view_webhook_secret` `/rotate_webhook_secret`
    {"**"}Webhooks**: `/set_webhook_url` `/test_webhook` `/resend_webhook`
    {"**"}Novidades**: `/notifications` `/notification_settings`
address-set = A partir de agora os repasses vão para { $address }. Compare com sua carteira.
address-warning = ⚠ O que você digitou pode ser para Bitcoin. Compare o endereço acima com sua carteira de Litecoin.
title-change-address = Mudar o endereço de pagamento?
change-address = A mudança passa a valer { $hours ->
        [one] { $hours } hora
       *[other] { $hours } horas
    } depois que você confirmar. Até lá ela pode ser cancelada.
button-change-address = Mudar o endereço
button-cancel-change = Cancelar a mudança
change-cancelled = A mudança foi cancelada; os repasses vão para onde iam antes.
address-will-be = Os repasses vão para { $address } a partir de { $date } ({ $when }). Até lá `/cancel_address_change` cancela.
address-is = Os repasses vão para { $address }.
address-none = nenhum: `/set_address`
address-to-come = ⏳ muda para { $address } { $when }; `/cancel_address_change` cancela
name-set = Mudado. Na página de pagamento sua loja agora se chama **{ $name }**.
confirmations-set = Novos pagamentos precisam de { $n ->
        [one] { $n } confirmação
       *[other] { $n } confirmações
    }, cerca de { $minutes ->
        [one] { $minutes } minuto
       *[other] { $minutes } minutos
    }. Os grandes podem precisar de mais.
confirmations-risk = Com tão poucas confirmações, uma reorganização da cadeia pode desfazer um pagamento.
tiers-set = Novos pagamentos precisam destas confirmações: { $tiers }. Para os maiores vale o padrão.
tolerance-set = Novos pagamentos são concluídos se faltar no máximo { $percent } % do valor.
tolerance-none = Novos pagamentos precisam do valor inteiro.
events-set = Os webhooks de novos pagamentos também informam: { $events }.
events-none = Os webhooks de novos pagamentos informam apenas a conclusão.
subscription-suspended = Sua conta está suspensa: sem novos pagamentos. Os pagamentos abertos continuam, e tudo é pago. Fale com um administrador.
subscription-until = Sua assinatura vale até { $date } ({ $when }). Você é lembrado 7, 3 e 1 dias antes.
subscription-ended = Sua assinatura terminou { $when }. Peça a um administrador para prolongá-la.
subscription-none = Você ainda não tem assinatura. Peça a um administrador.
title-notification-settings = Suas notificações
off-for-all = (desligado para todos)
in-the-channel = (no canal)
docs =
    O guia de integração com exemplos para copiar: { $url }/docs
    A API para máquinas: { $url }/openapi.json

## Secrets.

title-rotate-key = Trocar a chave de API?
key-number = chave { $n }
old-key-dies = Sua loja não pode criar pagamentos desde que você confirme até ter a chave nova.
old-key-lives = As duas chaves valem por 24 horas, assim sua loja pode trocar sem interrupção. Não escolha isso para uma chave que outra pessoa possa ter.
open-go-on = Os pagamentos abertos continuam.
button-rotate-key = Trocar a chave
your-key = Sua chave de API: ||`{ $secret }`||
key-warning = ⚠ Guarde-a no seu servidor, nunca em uma página ou aplicativo. Quem a tem pode criar pagamentos em seu nome; `/rotate_key` a troca.
title-rotate-secret = Trocar o segredo dos webhooks?
secret-number = segredo { $n }
two-signatures = Os webhooks levam duas assinaturas por 24 horas, assim sua loja pode trocar sem interrupção. Se o segredo vazou, troque-o duas vezes: assim ele deixa de valer na hora.
button-rotate-secret = Trocar o segredo
your-secret = Seu segredo de webhooks: ||`{ $secret }`||
secret-warning = ⚠ Guarde-o no seu servidor e verifique cada webhook com ele. Quem o tem pode fazer sua loja acreditar que um pagamento está completo.
goes-away = -# Esta mensagem é apagada depois de { $n ->
        [one] { $n } segundo
       *[other] { $n } segundos
    }.
title-factor-enable = Usar um aplicativo autenticador?
factor-setup =
    Digite este segredo no seu aplicativo autenticador: ||`{ $secret }`||
    Ou abra este link no aparelho com o aplicativo: ||`{ $url }`||

    Depois digite aqui o código do aplicativo, em até 5 minutos. A partir daí, um novo endereço de pagamento e uma nova chave de API pedem um código.
button-enter-code = Digitar o código
title-form = Segundo fator
field-code = Código do aplicativo ou de recuperação
factor-asks = Você confirma isso com um código do seu aplicativo autenticador.
factor-enabled =
    O segundo fator está ativado. ✔ Guarde estes códigos de recuperação em lugar seguro. Cada um substitui uma vez um código do aplicativo:
    ||```
    { $codes }
    ```||
title-factor-disable = Desativar o segundo fator?
factor-disable = Sem ele, quem tiver a sua conta do Discord pode mudar o seu endereço de pagamento e a sua chave de API. É preciso mais um código do aplicativo.
factor-disabled = O segundo fator está desativado.

## Money.

field-merchant = Lojista
field-payout-address = Endereço de pagamento
field-subscription = Assinatura
field-confirmations = Confirmações
field-webhooks-to = Webhooks vão para
field-money = Dinheiro
field-next-sweep = Próximo repasse
subscription-runs = até { $date } ({ $when })
subscription-missing = nenhuma: peça a um administrador
next-sweep = { $when }, para quem tem { $amount } ou mais à espera
next-sweep-unknown = assim que os repasses funcionarem
as-payments-say = para onde cada pagamento diz: `/set_webhook_url`
payouts-list = `/payouts` lista o que foi pago
sum-received = recebido
sum-unconfirmed = não confirmado
sum-unswept = ainda não repassado
sum-in-flight = a caminho
sum-paid = repassado
sum-fees = taxas
sum-elsewhere = em outro lugar
title-payment = Pagamento
field-payment = Pagamento
field-status = Estado
field-amount = Valor
field-received = Recebido
field-created = Criado
field-time-up = Vence
field-address = Endereço
field-checkout = Página de pagamento
field-order = Pedido
field-transactions = Transações
field-webhook = Webhook
field-paid-out-with = Repassado com
received = { $received }, confirmado { $confirmed }
webhook-delivered = entregue
webhook-due = previsto { $when }, { $n ->
        [one] { $n } tentativa
       *[other] { $n } tentativas
    }
webhook-given-up = abandonado: `/resend_webhook` envia de novo
status-pending = pendente
status-completed = completo
status-expired = vencido
detail-waiting = à espera
detail-partly-paid = pago em parte
detail-seen = visto
detail-confirming = sendo confirmado
detail-replaced = retirado
detail-paid = pago
detail-overpaid = pago a mais
detail-paid-short = pago, falta uma pequena parte
detail-accepted = aceito
detail-cancelled = cancelado
detail-expired = vencido
detail-late = chegou tarde
detail-delayed = atrasado
month-empty = Nada foi repassado em { $month }.
month-payouts = Seus repasses de { $month } (UTC): { $n }.
month-cut = Há mais do que cabe: `GET /api/payouts` dá todos.
title-invoice = Pagamento criado
field-send-link = Envie este link ao cliente
button-checkout = Abrir a página de pagamento

## Lists.

title-page = { $title } (página { $n })
button-previous = Anterior
button-next = Próxima
title-payments = Pagamentos
title-payments-of = Pagamentos: { $status }
title-payouts = Repasses
title-notifications = Avisos
title-merchants = Lojistas
title-audit-log = Quem fez o quê
title-failed = Webhooks abandonados
empty-payments = Nenhum ainda. `/invoice` cria um à mão, sua loja os cria pela API: `/docs`.
empty-payouts = Nenhum ainda. O que está completo e confirmado sai no próximo repasse; somas pequenas esperam por mais. `/account` mostra o que espera.
empty-notifications = Nenhuma notificação ainda. `/notification_settings` escolhe quais você recebe.
empty-merchants = Nenhum ainda. `/grant_sub` cria o primeiro.
empty-audit-log = Nada foi feito ainda.
empty-failed = Nenhum. Tudo em ordem.
payout-line = { $when } { $amount } · taxa { $fee } · { $n ->
        [one] { $n } confirmação
       *[other] { $n } confirmações
    }
failed-line = `{ $payment }` { $when } · { $n ->
        [one] { $n } tentativa
       *[other] { $n } tentativas
    } · `{ $merchant }`
state-suspended = suspenso
state-ends = termina { $when }
state-ended = terminou { $when }
state-none = sem assinatura
audit-log-nothing = nada
audit-log-by-message = por mensagem direta

## Webhooks.

webhooks-go-to = Os webhooks vão para { $url }, a menos que um pagamento tenha sua própria URL.
webhooks-go-as-said = Os webhooks vão para onde cada pagamento diz, e a nenhum outro lugar.
webhooks-will-go-to = A partir de agora os webhooks vão para { $url } nos pagamentos que não têm sua própria URL. `/test_webhook` testa.
webhooks-will-go-as-said = A partir de agora os webhooks vão para onde cada pagamento diz, e a nenhum outro lugar.
resent = É enviado de novo agora. `/payment` mostra o resultado.
title-test = Webhook de teste
field-outcome = Resultado
field-event = Seu id
field-answer = O que respondeu
field-advice = Conselho
title-resend-all = Enviar de novo?
resend-all = Todos os webhooks abandonados de { $name } são enviados de novo.
button-resend-all = Enviar de novo
resent-all = Os webhooks abandonados de { $name } voltam a ser enviados.
title-accept = Aceitar o pagamento?
accept-payment = { $received } de { $amount } estão confirmados. O pagamento é concluído com o valor confirmado.
button-accept = Aceitar o pagamento
accepted = O pagamento foi concluído.
title-cancel = Cancelar o pagamento?
cancel-payment = O pagamento vence agora. Se chegar dinheiro depois, ele é repassado a você, e o pagamento só é concluído se você aceitar.
button-cancel = Cancelar o pagamento
cancelled = O pagamento foi cancelado.

## Administration of merchants.

granted = { $name } tem mais { $n ->
        [one] { $n } dia
       *[other] { $n } dias
    }.
title-revoke = Encerrar a assinatura?
revoke = Desde então novos pagamentos são recusados. Os abertos seguem, e tudo é pago.
button-revoke = Encerrar
revoked = A assinatura de { $name } terminou. Os pagamentos abertos seguem e são pagos.
title-suspend = Suspender este lojista?
can-make-payments = pode criar pagamentos
no-new-payments = sem novos pagamentos
suspend = A assinatura continua correndo. Os pagamentos abertos seguem, e tudo é pago. `/unsuspend` encerra isso.
button-suspend = Suspender
suspended = { $name } não pode criar novos pagamentos. Os abertos seguem e são pagos. `/unsuspend` encerra isso.
unsuspended = { $name } pode criar pagamentos de novo.
field-owner = Titular
not-on-discord = não está no Discord
field-since = Desde
field-suspended = Suspenso

## The gateway.

title-stats = Estatísticas
field-day = Últimas 24 horas
field-week = Últimos 7 dias
field-month = Últimos 30 dias
field-merchants = Lojistas
field-webhooks-waiting = Webhooks à espera
field-lost = Pagamentos completos sem suas moedas
stats = { $n ->
        [one] { $n } pagamento criado
       *[other] { $n } pagamentos criados
    }, { $completed ->
        [one] { $completed } completo
       *[other] { $completed } completos
    }{ $rate }: { $sum }{ $median }; { $failed ->
        [one] { $failed } webhook abandonado
       *[other] { $failed } webhooks abandonados
    }
stats-rate = {" "}({ $percent } % dos decididos)
stats-median = , metade deles em até { $minutes } min { $seconds } s
merchants-count = { $active } com assinatura, { $all } ao todo
title-node = O nó
field-node = Nó
field-gateway = Gateway
field-height = Altura
field-stand = Bloco do observador
field-peers = Pares
field-mempool = Transações no seu mempool
field-zmq = ZMQ
field-watcher = Observador
field-chain-guard = Guardião da cadeia
node-on = { $node } em { $chain }
height = { $height } ({ $n ->
        [one] { $n } bloco
       *[other] { $n } blocos
    } atrás dos seus cabeçalhos)
stand-none = nenhum bloco ainda
watcher-at = na ponta há { $n } s
watcher-never = ainda não alcançou a ponta
suspect = o guardião da cadeia está ativo; `litegate chain-guard` mostra por quê
zmq-heard = ouvido pela última vez { $when }
zmq-never = nada ouvido ainda
nothing-ready = Nada está pronto: os pagamentos são repassados quando decididos e confirmados.
title-sweep = Repassar agora?
sweep = { $n ->
        [one] { $n } moeda
       *[other] { $n } moedas
    } de { $merchants ->
        [one] { $merchants } lojista
       *[other] { $merchants } lojistas
    }, { $sum } ao todo, menos a taxa da rede. Somas pequenas, endereços que faltam e uma dúvida sobre a cadeia ainda esperam.
button-sweep = Repassar agora
title-swept = Repassado
swept-line = `{ $txid }`: { $n ->
        [one] { $n } repasse
       *[other] { $n } repasses
    }, taxa { $fee }
swept-nothing = O repasse foi executado; nada podia ser pago. `litegate sweep --dry-run` mostra por quê.
sweeper-cannot = O repasse falhou: { $why }.
sweeper-slow = O repasse ainda não foi executado. `/stats` e `litegate sweep` mostram o resultado.
title-announce = Publicar isto?
button-announce = Publicar
announced = Publicado.
title-setup = A configuração do bot
setup-server = servidor: { $name }
setup-everywhere = os comandos estão registrados em toda parte
setup-here = os comandos estão registrados neste servidor
setup-role = os administradores têm o cargo { $role }
setup-role-unset = discord.admin_role_id não está definido: ninguém administra
setup-role-unknown = discord.admin_role_id: o servidor não tem o cargo { $role }
channel-unset = { $key } não está definido
channel-elsewhere = { $key }: { $channel } é visível, mas não é um canal deste servidor
channel-fine = { $key }: em { $channel } é possível ler e escrever
channel-lacks = { $key }: em { $channel } falta ao bot { $permissions }. Conceda nas configurações do canal
permission-view = “Ver canal”
permission-send = “Enviar mensagens”
permission-embed = “Inserir links”
title-config = Valores em vigor
config-grant = maior prolongamento = { $n } dias

## Messages that the bot sends on its own.

title-shop-news = Novidades da sua loja
title-gateway-notifications = Novidades do gateway
notifications-wait = { $name } { $n ->
        [one] { $n } aviso espera
       *[other] { $n } avisos esperam
    } por você: `/notifications` { $n ->
        [one] o
       *[other] os
    } mostra só a você.

## Refusals of the bot.

failure-not-yours = Este botão não é seu.
failure-used = Este botão já foi usado.
failure-too-old = Este botão é antigo demais; envie o comando de novo.
failure-no-account = Você ainda não tem conta de lojista; comece com `/set_address`.
failure-no-account-of = Este usuário não tem conta de lojista; `/grant_sub` abre uma.
failure-not-admin = Este comando é para administradores.
failure-other-place = Este comando funciona no próprio servidor do gateway; use-o lá.
failure-too-fast = Comandos demais; tente em { $n ->
        [one] { $n } segundo
       *[other] { $n } segundos
    }.
failure-shown-too-often = Segredos são mostrados no máximo cinco vezes por hora; tente mais tarde.
failure-unknown-kind = Escolha um dos tipos oferecidos.
failure-kind-and-how = Informe os dois: o tipo e o modo.
failure-no-webhook = Este pagamento não tem webhook: não está completo, ou foi criado sem webhookUrl.
failure-choose-part = Escolha uma das duas partes do comando.
failure-bot-is-no-merchant = Um bot não é lojista.
failure-bad-merchant-id = Não é o id de um lojista, como mer_0123456789ab.
failure-node-silent = O nó não respondeu em { $n ->
        [one] { $n } segundo
       *[other] { $n } segundos
    }; `litegate doctor` diz por quê.
failure-no-notifications-channel = Aqui não há canal de avisos.
failure-no-test = O teste não pode ser enviado daqui.
failure-set-channel-first = Defina primeiro discord.notifications_channel_id.

## Outcomes of a webhook delivery, in the middle of a sentence.

outcome-not-public = a URL leva a um endereço privado ou especial, ou a uma porta não permitida
outcome-timeout = o receptor demorou demais
outcome-no-such-name = o nome do receptor não tem endereço
outcome-connect = sem conexão com o receptor
outcome-tls = sem conexão segura: o certificado ou o TLS do receptor não é válido
outcome-broken = o receptor encerrou a conexão

## Advice after a failed test webhook.

advice-not-public = O gateway só envia a endereços públicos. O operador pode permitir os privados com webhooks.allow_private_networks.
advice-no-such-name = Verifique como o host está escrito e seu registro DNS.
advice-connect = Nada escuta lá, ou um firewall não deixa ninguém entrar: verifique a porta e o firewall.
advice-tls = O certificado venceu, é de outro nome, não é assinado por ninguém conhecido, ou o servidor omite os certificados intermediários; ou ele fala http onde a URL diz https.
advice-timeout = Responda em até 15 segundos: verifique a assinatura, anote o evento, responda 200 e faça o trabalho depois.
advice-broken = A conexão terminou sem uma resposta que seja HTTP: a URL é http onde o servidor fala https, ou o contrário?
advice-redirect = Redirecionamentos não são seguidos: dê a URL para onde levam.
advice-body = O receptor não aceita o corpo: é JSON com content-type application/json. Se verifica a assinatura, deve fazê-lo sobre os bytes como chegaram.
advice-login = O receptor pede um login ou um token CSRF, ou um firewall nos rejeita: deixe POST entrar sem isso e verifique a assinatura em vez disso.
advice-route = Nenhuma rota do receptor aceita POST nesse caminho.
advice-busy = O receptor está ocupado; um evento real voltaria mais tarde.
advice-failed = O receptor falhou: o registro dele diz por quê.

## Kinds of notifications, as choices of at most 100 characters.

kind-first-payment = Seu primeiro pagamento está completo
kind-paid = Um pagamento está completo (cada um)
kind-part-paid = Um pagamento venceu pago só em parte
kind-late-payment = Chegou dinheiro depois do prazo de um pagamento
kind-webhook-failing = Um webhook falhou cinco vezes
kind-webhook-failed = Um webhook foi abandonado
kind-payout-sent = Um repasse está a caminho
kind-payout-stuck = Um repasse demora a ser confirmado
kind-address-change = Seu endereço de pagamento muda, mudou ou a mudança foi cancelada
kind-key-rotated = Sua chave de API ou seu segredo de webhooks foi trocado
kind-subscription = Sua assinatura termina em 7, 3, 1 dias, e quando terminou

## Notifications.

notification-order = {" "}(pedido { $order })
notification-first-payment = Seu primeiro pagamento está completo: { $amount } LTC{ $order }. Ele sai no próximo repasse; `/payouts` mostra quando. `/payment { $id }`
notification-payment-complete = O pagamento `{ $id }`{ $order } de { $amount } LTC está completo. `/payment { $id }`
notification-payment-complete-late = O pagamento `{ $id }`{ $order } chegou tarde e agora está completo. Decida se ainda entrega. `/payment { $id }`
notification-payment-part-paid = O pagamento `{ $id }`{ $order } venceu com { $received } de { $amount } LTC pagos. O que chegou é repassado a você; pergunte ao cliente ou devolva. `/payment { $id }`
notification-payment-late = Chegaram { $amount } LTC para o pagamento `{ $id }`{ $order } depois do prazo. Se a soma for alcançada e confirmada, o pagamento se completa como tardio. `/payment { $id }`
notification-payment-too-late = Chegaram { $amount } LTC para o pagamento `{ $id }`{ $order } depois do prazo. É tarde demais para completá-lo; o dinheiro é repassado a você mesmo assim. `/payment { $id }`
notification-payment-lost-to-you = O pagamento `{ $id }`{ $order } estava completo, mas a cadeia já não contém suas moedas: uma reorganização profunda. Ele só volta a contar quando as moedas voltarem. `/payment { $id }`
notification-webhook-failing = O webhook do pagamento `{ $id }`{ $order } falhou { $n ->
        [one] { $n } vez
       *[other] { $n } vezes
    }: { $outcome }. Ele é tentado por três dias. Conserte o receptor e depois `/resend_webhook { $id }`.
notification-webhook-given-up = O webhook do pagamento `{ $id }`{ $order } foi abandonado depois de { $n ->
        [one] { $n } tentativa
       *[other] { $n } tentativas
    }: { $outcome }. Conserte o receptor e depois `/resend_webhook { $id }`.
notification-payout-sent = Um repasse de { $amount } LTC está a caminho: transação `{ $txid }`. `/payouts`
notification-payout-stuck = Seu repasse de { $amount } LTC espera um bloco há mais de duas horas: transação `{ $txid }`. Ele é enviado de novo até ser confirmado. `/payouts`
notification-address-asked = Seu endereço de pagamento muda { $when } para `{ $address }`{ $before }. Se não foi você, cancele agora: com o botão abaixo ou `/cancel_address_change`; depois proteja sua conta do Discord.
notification-address-before = {" "}(até agora `{ $address }`)
notification-address-effective = A partir de agora seus repasses vão para `{ $address }`. `/account`
notification-address-cancelled = A mudança do seu endereço de pagamento para `{ $address }` foi cancelada. `/account`
notification-payouts-wait = Seus repasses esperam: o sistema não viu a tempo o seu novo endereço de pagamento. Eles continuam automaticamente quando o prazo termina. Se você não mudou o endereço, use `/cancel_address_change` e proteja sua conta do Discord.
notification-payouts-wait-for-address = Seus repasses esperam: seu endereço de pagamento não é o que o sistema conhece. Compare-o em `/account` e registre de novo o certo com `/set_address`.
notification-key-replaced = Sua chave de API foi trocada; a antiga não vale mais. Se não foi você, proteja sua conta do Discord e use `/rotate_key` de novo.
notification-key-replaced-gently = Sua chave de API foi trocada; a antiga vale por mais 24 horas. Se não foi você, proteja sua conta do Discord e use `/rotate_key` de novo.
notification-secret-replaced = Seu segredo de webhooks foi trocado; por 24 horas os dois assinam. Se não foi você, proteja sua conta do Discord e use `/rotate_webhook_secret` duas vezes.
notification-subscription-ends = Sua assinatura termina { $when } ({ $date }). Peça antes a um administrador para prolongá-la, para que sua loja continue. `/subscription`
notification-subscription-ended = Sua assinatura terminou: novos pagamentos são recusados. Os abertos seguem, e tudo é pago. Peça a um administrador para prolongá-la; `/subscription` mostra quando você a tem.
notification-node-away = Há mais de { $minutes ->
        [one] { $minutes } minuto
       *[other] { $minutes } minutos
    } não estamos na ponta do nó: { $why }. Os pagamentos são aceitos, mas não vistos. `/node`
notification-node-behind = o nó está no bloco { $height }, { $behind } atrás dos seus cabeçalhos
notification-node-did-not-answer = o nó não respondeu em { $n ->
        [one] { $n } segundo
       *[other] { $n } segundos
    }; `litegate doctor` diz por quê
notification-node-back = Estamos de novo na ponta do nó. `/node`
notification-sweep-stuck = O repasse { $sweep } espera um bloco há mais de duas horas: transação `{ $txid }`. `/node` mostra o nó; `litegate sweep` o envia de novo.
notification-sweeper-stuck = Há meia hora nada é repassado: { $trouble }. Os pagamentos são aceitos e esperam. `litegate doctor` procura o motivo.
notification-sweep-damaged = Os bytes guardados do repasse `{ $txid }` estão danificados: pelo disco ou por uma mão no banco de dados. Assim ele não é enviado; com a chave nesta máquina ele é assinado de novo. `litegate doctor` mostra o que falta.
notification-payouts-of-merchant-wait = Os repasses de `{ $merchant }` esperam: { $why }. `litegate doctor` diz o que fazer.
notification-payment-lost = O pagamento `{ $id }` foi completado, mas a melhor cadeia já não contém suas moedas: uma reorganização profunda. Ao lojista foi dito que está pago. `litegate payment show { $id }` e `litegate audit` mostram o que falta.
notification-suspect = O guardião da cadeia está ativo: { $reason }. Pagamentos vindos de MWEB e repasses esperam. `litegate chain-guard` mostra isso e pode encerrá-lo.
notification-low-disk = O disco do banco de dados tem { $n } MB livres. Quando encher, novos pagamentos serão recusados. Abra espaço; `litegate doctor` verifica de novo.
notification-zmq-silent = O ZMQ do nó não diz nada. Os pagamentos são notados perguntando ao nó repetidamente, um pouco mais tarde que de costume. `/node` mostra; `litegate doctor` procura o motivo.
notification-zmq-back = Os pagamentos são notados de novo como configurado. `/node`
notification-fee-too-high = Há moedas que não são repassadas, porque a taxa passaria de `sweeper.max_fee_percent` do valor delas. Elas saem quando as taxas caírem ou mais se juntar. `/sweep_now` mostra o que está pronto.
notification-too-much-hot = { $waiting } LTC aguardam repasse sob a chave desta máquina, mais do que os { $limit } LTC de `sweeper.max_hot_balance`. `/sweep_now` repassa o que está pronto; `litegate sweep --dry-run` diz o que o resto aguarda.
notification-audit-found = A auditoria encontrou { $n ->
        [one] { $n } diferença
       *[other] { $n } diferenças
    }: há litoshis que não estão onde deveriam. `litegate audit` nomeia cada uma.
notification-audit-clean = A auditoria está limpa de novo: cada litoshi tem sua conta prestada. `litegate audit`

## Descriptions of commands, of their parts and of their options, 100 characters each.

command-help = Onde você está e o que vem a seguir
command-set_address = Registrar o endereço Litecoin para onde seu dinheiro vai
command-set_address-ltc_address = Um endereço Litecoin comum da sua própria carteira
command-cancel_address_change = Cancelar uma mudança de endereço que ainda não vale
command-view_key = Mostrar sua chave de API; só você vê a resposta
command-rotate_key = Trocar sua chave de API
command-rotate_key-old_key = O que acontece com a chave antiga; sem escolha ela deixa de valer na hora
command-view_webhook_secret = Mostrar o segredo que assina seus webhooks; só você vê a resposta
command-rotate_webhook_secret = Trocar o segredo que assina os webhooks; ambos assinam por um dia
command-second_factor = Proteger o endereço de pagamento e a chave de API com um aplicativo
command-second_factor-enable = Começar a usar um aplicativo autenticador
command-second_factor-disable = Deixar de usar o aplicativo autenticador; é preciso mais um código
command-set_business_name = Mudar o nome que os clientes veem ao pagar
command-set_business_name-name = De 1 a 64 caracteres
command-set_confirmations = Mudar quantas confirmações seus pagamentos precisam
command-set_confirmations-confirmations = Um número, ou faixas em LTC como 1 below 0.2, 3 below 2
command-set_tolerance = Mudar quanto do valor pode faltar
command-set_tolerance-percent = Porcentagem, de 0 a 10, para novos pagamentos
command-set_events = Mudar quais eventos seu webhook recebe
command-set_events-events = seen, partly_paid, expired, late, replaced ou none
command-accept = Aceitar como está um pagamento parcial ou vencido
command-accept-payment = O pagamento; digite o id, o pedido ou o status
command-cancel_payment = Cancelar um pagamento que ninguém pagou
command-cancel_payment-payment = O pagamento; digite o id, o pedido ou o status
command-subscription = Mostrar até quando você pode receber pagamentos
command-notifications = Mostrar o que foi dito a você e o que não pôde ser enviado
command-notification_settings = Escolher o que é dito a você e como
command-notification_settings-kind = O que dizer; sem isso, todos são listados
command-notification_settings-how = Como dizer a você
command-docs = Onde está o guia de integração
command-account = Mostrar a situação da sua conta
command-payments = Listar seus pagamentos, os mais novos primeiro
command-payments-status = Só os que têm este estado
command-payment = Mostrar um dos seus pagamentos
command-payment-payment = O pagamento: digite o id, o pedido ou o estado
command-payouts = Listar o que foi pago a você, o mais novo primeiro
command-payouts-month = Um mês como 2026-11: tudo dele em um arquivo para suas contas
command-resend_webhook = Enviar de novo o webhook de um pagamento
command-resend_webhook-payment = O pagamento: digite o id, o pedido ou o estado
command-set_webhook_url = Dizer para onde vão os webhooks quando um pagamento não tem URL própria
command-set_webhook_url-url = Como https://shop.example/hook; none: a lugar nenhum. Sem ela, mostra a atual
command-test_webhook = Enviar um webhook de teste assinado a uma URL e ver o resultado
command-test_webhook-url = Onde sua loja recebe webhooks, como https://shop.example/hook
command-invoice = Criar um pagamento à mão e receber um link para o cliente
command-invoice-amount = Quantos LTC, como 0.05
command-invoice-reference = Seu próprio nome para isso, como um número de pedido
command-grant_sub = Somar dias à assinatura de um lojista; abre a conta se não houver
command-grant_sub-user = O lojista
command-grant_sub-days = Dias a somar
command-revoke_sub = Encerrar já a assinatura de um lojista; pagamentos abertos seguem
command-revoke_sub-user = O lojista
command-suspend = Impedir novos pagamentos de um lojista; os abertos seguem
command-suspend-user = O lojista
command-unsuspend = Permitir de novo pagamentos a um lojista suspenso
command-unsuspend-user = O lojista
command-merchants = Listar os lojistas, os mais novos primeiro
command-merchant = Mostrar um lojista: assinatura, endereço, somas, falhas
command-merchant-merchant = Digite um nome ou um id
command-stats = Como vai: pagamentos, dinheiro, tempos, webhooks
command-node = Mostrar o nó: altura, atraso, pares, mempool, ZMQ, versões
command-sweep_now = Pagar agora o que está pronto, sem esperar a próxima vez
command-webhooks = Cuidar dos webhooks abandonados
command-webhooks-failed = Listar os webhooks abandonados, os mais novos primeiro
command-webhooks-resend = Enviar de novo todos os webhooks abandonados de um lojista
command-webhooks-resend-merchant = Digite um nome ou um id
command-audit_log = Mostrar quem fez o quê, o mais novo primeiro
command-audit_log-merchant = Só o que diz respeito a este lojista
command-announce = Dizer algo a todos os lojistas, no canal de avisos
command-announce-text = O que dizer; a formatação aparece como está
command-setup = Verificar o servidor, o cargo e os canais configurados
command-config = Mostrar os valores em vigor; mudam-se no arquivo de configuração

## Choices of options. At most 100 characters each.

choice-direct-message = por mensagem direta
choice-channel = no canal: que algo espera, não o quê
choice-off = de jeito nenhum
choice-revoke-now = revogá-la na hora (0 horas)
choice-grace-period = mantê-la válida por mais 24 horas
choice-pending = pendente
choice-completed = completo
choice-expired = vencido
