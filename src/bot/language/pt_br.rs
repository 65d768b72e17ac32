//! The bot in Brazilian Portuguese.

use super::Words;
use super::typed::Said;

pub(super) const WORDS: Words = Words {
    no_address: "nenhum",
    no_subscription: "nenhuma",
    before_after: "**Antes** {before}\n**Depois** {after}",
    n_of_m: "{n} de {m}",
    n_confirmations: "{n} {n|confirmação|confirmações}",
    until_date: "até {date}",
    nothing_changed: "Nada foi mudado.",
    button_leave: "Deixar assim",
    kept_notifications: "-# Você tem {n} {n|aviso|avisos}: {/notifications} {n|o|os} mostra.",

    ours: "Algo deu errado do nosso lado; tente mais tarde (no registro como {request}).",
    changed: "Este comando mudou; recarregue o Discord e envie-o de novo.",
    has_parts: "Este comando tem partes; escolha uma delas na lista.",
    not_understood: "Uma das opções não foi entendida; escolha ou digite de novo.",
    bot_lacks: "O bot não pode fazer isso aqui; falta a ele {permissions}. Um administrador pode permitir.",
    permissions_unknown: "O Discord não disse o que é permitido aqui; envie de novo.",
    not_usable: "Este comando não pode ser usado assim; {/help} mostra o que pode.",

    title_help: "Aceitar Litecoin em três passos",
    help: "{address} **Endereço de pagamento**: {/set_address} diz para onde vai seu dinheiro.\n\
        {subscription} **Assinatura**{until}: um administrador a concede a você.\n\
        {key} **Chave de API**: {/view_key} a mostra; sua loja a envia com cada pedido. {/docs} tem \
        exemplos.\n\n\
        **Dinheiro**: {/payments} {/payment} {/payouts} {/account} {/invoice}\n\
        **Conta**: {/set_business_name} {/set_confirmations} {/subscription} \
        {/cancel_address_change} {/rotate_key} {/view_webhook_secret} {/rotate_webhook_secret}\n\
        **Webhooks**: {/set_webhook_url} {/test_webhook} {/resend_webhook}\n\
        **Novidades**: {/notifications} {/notification_settings}",
    address_set: "A partir de agora os repasses vão para {address}. Compare com sua carteira.",
    address_warning: "⚠ O que você digitou pode ser para Bitcoin. Compare o endereço acima com sua \
        carteira de Litecoin.",
    title_change_address: "Mudar o endereço de pagamento?",
    change_address: "A mudança passa a valer {hours} {hours|hora|horas} depois que você confirmar. Até lá \
        ela pode ser cancelada.",
    button_change_address: "Mudar o endereço",
    button_cancel_change: "Cancelar a mudança",
    change_cancelled: "A mudança foi cancelada; os repasses vão para onde iam antes.",
    address_will_be: "Os repasses vão para {address} a partir de {date} ({when}). Até lá \
        {/cancel_address_change} cancela.",
    address_is: "Os repasses vão para {address}.",
    address_none: "nenhum: {/set_address}",
    address_to_come: "⏳ muda para {address} {when}; {/cancel_address_change} cancela",
    name_set: "Mudado. Na página de pagamento sua loja agora se chama **{name}**.",
    confirmations_set: "Novos pagamentos precisam de {n} {n|confirmação|confirmações}, cerca de {minutes} \
        {minutes|minuto|minutos}. Os grandes podem precisar de mais.",
    confirmations_risk: "Com tão poucas, uma reorganização da cadeia pode desfazer um pagamento.",
    subscription_suspended: "Sua conta está suspensa: nada de novos pagamentos. Os abertos seguem, e tudo é \
        pago. Fale com um administrador.",
    subscription_until: "Sua assinatura vale até {date} ({when}). Você é lembrado 7, 3 e 1 dias antes.",
    subscription_ended: "Sua assinatura terminou {when}. Peça a um administrador para prolongá-la.",
    subscription_none: "Você ainda não tem assinatura. Peça a um administrador.",
    title_notification_settings: "O que é dito a você",
    off_for_all: "(desligado para todos)",
    in_the_channel: "(no canal)",
    docs: "O guia de integração com exemplos para copiar: {url}/docs\nA API para máquinas: \
        {url}/openapi.json",

    title_rotate_key: "Trocar a chave de API?",
    key_number: "chave {n}",
    old_key_dies: "Sua loja não pode criar pagamentos desde que você confirme até ter a chave nova.",
    old_key_lives: "As duas chaves valem por 24 horas, assim sua loja pode trocar com calma. Não para uma \
        chave que outra pessoa possa ter.",
    open_go_on: "Os pagamentos abertos seguem.",
    button_rotate_key: "Trocar a chave",
    your_key: "Sua chave de API: ||`{secret}`||",
    key_warning: "⚠ Guarde-a no seu servidor, nunca em uma página ou aplicativo. Quem a tem pode criar \
        pagamentos em seu nome; {/rotate_key} a troca.",
    title_rotate_secret: "Trocar o segredo dos webhooks?",
    secret_number: "segredo {n}",
    two_signatures: "Os webhooks levam duas assinaturas por 24 horas, assim sua loja pode trocar com calma. \
        Trocar duas vezes invalida na hora um segredo vazado.",
    button_rotate_secret: "Trocar o segredo",
    your_secret: "Seu segredo de webhooks: ||`{secret}`||",
    secret_warning: "⚠ Guarde-o no seu servidor e verifique cada webhook com ele. Quem o tem pode fazer sua \
        loja acreditar que um pagamento está completo.",
    goes_away: "-# Esta mensagem some depois de {n} {n|segundo|segundos}.",
    title_factor_enable: "Usar um aplicativo autenticador?",
    factor_setup: "Digite este segredo no seu aplicativo autenticador: ||`{secret}`||\nOu abra este \
        link no aparelho com o aplicativo: ||`{url}`||\n\nDepois digite aqui o código do \
        aplicativo, em até 5 minutos. A partir daí, um novo endereço de pagamento e uma nova chave \
        de API pedem um código.",
    button_enter_code: "Digitar o código",
    title_form: "Segundo fator",
    field_code: "Código do aplicativo ou de recuperação",
    factor_asks: "Você confirma isso com um código do seu aplicativo autenticador.",
    factor_enabled: "O segundo fator está ativado. ✔ Guarde estes códigos de recuperação em lugar \
        seguro. Cada um substitui uma vez um código do aplicativo:\n||```\n{codes}\n```||",
    title_factor_disable: "Desativar o segundo fator?",
    factor_disable: "Sem ele, quem tiver a sua conta do Discord pode mudar o seu endereço de \
        pagamento e a sua chave de API. É preciso mais um código do aplicativo.",
    factor_disabled: "O segundo fator está desativado.",

    field_merchant: "Lojista",
    field_payout_address: "Endereço de pagamento",
    field_subscription: "Assinatura",
    field_confirmations: "Confirmações",
    field_webhooks_to: "Webhooks vão para",
    field_money: "Dinheiro",
    field_next_sweep: "Próximo repasse",
    subscription_runs: "até {date} ({when})",
    subscription_missing: "nenhuma: peça a um administrador",
    next_sweep: "{when}, para quem tem {amount} ou mais à espera",
    next_sweep_unknown: "assim que os repasses funcionarem",
    as_payments_say: "para onde cada pagamento diz: {/set_webhook_url}",
    payouts_list: "{/payouts} lista o que foi pago",
    sum_received: "recebido",
    sum_unconfirmed: "não confirmado",
    sum_unswept: "ainda não repassado",
    sum_in_flight: "a caminho",
    sum_paid: "repassado",
    sum_fees: "taxas",
    sum_elsewhere: "em outro lugar",
    title_payment: "Pagamento",
    field_payment: "Pagamento",
    field_status: "Estado",
    field_amount: "Valor",
    field_received: "Recebido",
    field_created: "Criado",
    field_time_up: "Fim do prazo",
    field_address: "Endereço",
    field_checkout: "Página de pagamento",
    field_order: "Pedido",
    field_transactions: "Transações",
    field_webhook: "Webhook",
    field_paid_out_with: "Repassado com",
    received: "{received}, confirmado {confirmed}",
    webhook_delivered: "entregue",
    webhook_due: "previsto {when}, {n} {n|tentativa|tentativas}",
    webhook_given_up: "abandonado: {/resend_webhook} envia de novo",
    status_pending: "pendente",
    status_completed: "completo",
    status_expired: "vencido",
    detail_waiting: "à espera",
    detail_partly_paid: "pago em parte",
    detail_seen: "visto",
    detail_confirming: "sendo confirmado",
    detail_replaced: "retirado",
    detail_paid: "pago",
    detail_overpaid: "pago a mais",
    detail_paid_short: "pago, falta uma pequena parte",
    detail_accepted: "aceito",
    detail_cancelled: "cancelado",
    detail_expired: "vencido",
    detail_late: "chegou tarde",
    detail_delayed: "atrasado",
    month_empty: "Nada foi repassado em {month}.",
    month_payouts: "Seus repasses de {month} (UTC): {n}.",
    month_cut: "Há mais do que cabe: `GET /api/payouts` dá todos.",
    title_invoice: "Pagamento criado",
    field_send_link: "Envie este link ao cliente",
    button_checkout: "Abrir a página de pagamento",

    title_page: "{title} (página {n})",
    button_previous: "Anterior",
    button_next: "Próxima",
    title_payments: "Pagamentos",
    title_payments_of: "Pagamentos: {status}",
    title_payouts: "Repasses",
    title_notifications: "Avisos",
    title_merchants: "Lojistas",
    title_audit_log: "Quem fez o quê",
    title_failed: "Webhooks abandonados",
    empty_payments: "Nenhum ainda. {/invoice} cria um à mão, sua loja os cria pela API: {/docs}.",
    empty_payouts: "Nenhum ainda. O que está completo e confirmado sai no próximo repasse; somas pequenas \
        esperam por mais. {/account} mostra o que espera.",
    empty_notifications: "Não aconteceu nada de que você seria avisado. {/notification_settings} escolhe o que é isso.",
    empty_merchants: "Nenhum ainda. {/grant_sub} cria o primeiro.",
    empty_audit_log: "Nada foi feito ainda.",
    empty_failed: "Nenhum. Tudo em ordem.",
    payout_line: "{when} {amount} · taxa {fee} · {n} {n|confirmação|confirmações}",
    failed_line: "`{payment}` {when} · {n} {n|tentativa|tentativas} · `{merchant}`",
    state_suspended: "suspenso",
    state_ends: "termina {when}",
    state_ended: "terminou {when}",
    state_none: "sem assinatura",
    audit_log_nothing: "nada",
    audit_log_by_message: "por mensagem direta",

    webhooks_go_to: "Os webhooks vão para {url}, a menos que um pagamento tenha sua própria URL.",
    webhooks_go_as_said: "Os webhooks vão para onde cada pagamento diz, e a nenhum outro lugar.",
    webhooks_will_go_to: "A partir de agora os webhooks vão para {url} nos pagamentos que não têm sua própria \
        URL. {/test_webhook} testa.",
    webhooks_will_go_as_said: "A partir de agora os webhooks vão para onde cada pagamento diz, e a nenhum outro \
        lugar.",
    resent: "É enviado de novo agora. {/payment} mostra o resultado.",
    title_test: "Webhook de teste",
    field_outcome: "Resultado",
    field_event: "Seu id",
    field_answer: "O que respondeu",
    field_advice: "Conselho",
    title_resend_all: "Enviar de novo?",
    resend_all: "Todos os webhooks abandonados de {name} são enviados de novo.",
    button_resend_all: "Enviar de novo",
    resent_all: "Os webhooks abandonados de {name} voltam a ser enviados.",

    granted: "{name} tem mais {n} {n|dia|dias}.",
    title_revoke: "Encerrar a assinatura?",
    revoke: "Desde então novos pagamentos são recusados. Os abertos seguem, e tudo é pago.",
    button_revoke: "Encerrar",
    revoked: "A assinatura de {name} terminou. Os pagamentos abertos seguem e são pagos.",
    title_suspend: "Suspender este lojista?",
    can_make_payments: "pode criar pagamentos",
    no_new_payments: "sem novos pagamentos",
    suspend: "A assinatura continua correndo. Os pagamentos abertos seguem, e tudo é pago. {/unsuspend} \
        encerra isso.",
    button_suspend: "Suspender",
    suspended: "{name} não pode criar novos pagamentos. Os abertos seguem e são pagos. {/unsuspend} encerra \
        isso.",
    unsuspended: "{name} pode criar pagamentos de novo.",
    field_owner: "Titular",
    not_on_discord: "não está no Discord",
    field_since: "Desde",
    field_suspended: "Suspenso",

    title_stats: "Como vai",
    field_day: "Últimas 24 horas",
    field_week: "Últimos 7 dias",
    field_month: "Últimos 30 dias",
    field_merchants: "Lojistas",
    field_webhooks_waiting: "Webhooks à espera",
    field_lost: "Pagamentos completos sem suas moedas",
    stats: "{n} {n|pagamento criado|pagamentos criados}, {completed} {completed|completo|completos}{rate}: \
        {sum}{median}; {failed} {failed|webhook abandonado|webhooks abandonados}",
    stats_rate: " ({percent} % dos decididos)",
    stats_median: ", metade deles em até {minutes} min {seconds} s",
    merchants_count: "{active} com assinatura, {all} ao todo",
    title_node: "O nó",
    field_node: "Nó",
    field_gateway: "Gateway",
    field_height: "Altura",
    field_stand: "Estamos em",
    field_peers: "Pares",
    field_mempool: "Transações no seu mempool",
    field_zmq: "ZMQ",
    field_watcher: "Observador",
    field_chain_guard: "Dúvida",
    node_on: "{node} em {chain}",
    height: "{height} ({n} {n|bloco|blocos} atrás dos seus cabeçalhos)",
    stand_none: "nenhum bloco ainda",
    watcher_at: "na ponta há {n} s",
    watcher_never: "ainda não esteve na ponta",
    suspect: "o guardião da cadeia está ativo; `litegate chain-guard` mostra por quê",
    zmq_heard: "ouvido pela última vez {when}",
    zmq_never: "nada ouvido ainda",
    nothing_ready: "Nada está pronto: os pagamentos são repassados quando decididos e confirmados.",
    title_sweep: "Repassar agora?",
    sweep: "{n} {n|moeda|moedas} de {merchants} {merchants|lojista|lojistas}, {sum} ao todo, menos a taxa da \
        rede. Somas pequenas, endereços que faltam e uma dúvida sobre a cadeia ainda esperam.",
    button_sweep: "Repassar agora",
    title_swept: "Repassado",
    swept_line: "`{txid}`: {n} {n|repasse|repasses}, taxa {fee}",
    swept_nothing: "Foi verificado; nada podia sair. `litegate sweep --dry-run` diz por quê.",
    sweeper_cannot: "O repasse não é possível: {why}.",
    sweeper_slow: "Ainda não foi verificado. {/stats} e `litegate sweep` mostram o resultado.",
    title_announce: "Publicar isto?",
    button_announce: "Publicar",
    announced: "Publicado.",
    title_setup: "A configuração do bot",
    setup_server: "servidor: {name}",
    setup_everywhere: "os comandos estão registrados em toda parte",
    setup_here: "os comandos estão registrados neste servidor",
    setup_role: "os administradores têm o cargo {role}",
    setup_role_unset: "discord.admin_role_id não está definido: ninguém administra",
    setup_role_unknown: "discord.admin_role_id: o servidor não tem o cargo {role}",
    channel_unset: "{key} não está definido",
    channel_elsewhere: "{key}: {channel} é visível, mas não é um canal deste servidor",
    channel_fine: "{key}: em {channel} é possível ler e escrever",
    channel_lacks: "{key}: em {channel} falta ao bot {permissions}. Conceda nas configurações do canal",
    permission_view: "“Ver canal”",
    permission_send: "“Enviar mensagens”",
    permission_embed: "“Inserir links”",
    title_config: "Valores em vigor",
    config_grant: "maior prolongamento = {n} dias",

    title_shop_news: "Novidades da sua loja",
    title_gateway_notifications: "Novidades do gateway",
    notifications_wait: "{name} {n} {n|aviso espera|avisos esperam} por você: {/notifications} {n|o|os} mostra só a você.",
};

pub(super) const SAID: Said = Said {
    unknown_merchant: "Não existe o lojista {id}.",
    unknown_payment: "Esse pagamento não existe.",
    unknown_event: "Esse evento de webhook não existe.",
    discord_user_taken: "Este usuário do Discord já tem uma conta de lojista: {id}.",
    subscription_inactive: "A assinatura não está ativa; peça a um administrador.",
    suspended: "A conta está suspensa; fale com um administrador.",
    suspended_already: "A conta já está suspensa.",
    not_suspended: "A conta não está suspensa.",
    payout_address_missing: "Nenhum endereço de pagamento está registrado; registre um primeiro: \
        {/set_address}.",
    starting: "O gateway está iniciando: o nó dele ainda não respondeu se esta conta já foi usada antes. \
        Tente de novo em um minuto.",
    too_many_open: "{n} {n|pagamento está aberto|pagamentos estão abertos}; espere até que alguns sejam pagos ou \
        vençam.",
    daily_limit: "No máximo {n} por dia; tente de novo mais tarde.",
    idempotency_key_reused: "A idempotency-key já foi usada com outro pedido.",
    chain_suspect: "O guardião da cadeia está ativo: enquanto isso nada é repassado (`litegate chain-guard`).",
    no_address_change: "Nenhuma mudança do endereço de pagamento está à espera.",
    too_many_address_changes: "O endereço de pagamento foi mudado {n} vezes em um dia. \
        Tente de novo amanhã.",
    factor_code_needed: "É preciso um código do seu aplicativo autenticador.",
    factor_wrong_code: "O código está errado. Com mais {n} {n|código errado|códigos errados}, o \
        segundo fator fica bloqueado por 15 minutos.",
    factor_wrong_first_code: "O código está errado. Confira o relógio do aparelho com o aplicativo.",
    factor_used_code: "Este código já foi usado. Espere o próximo.",
    factor_locked: "Códigos errados demais. Tente de novo em {n} {n|minuto|minutos}.",
    factor_unusable: "Não é possível verificar o segundo fator. Peça ao operador que o redefina.",
    factor_enabled_already: "O segundo fator já está ativado. Desative-o primeiro.",
    factor_not_enabled: "O segundo fator não está ativado.",
    factor_not_begun: "Nenhum segundo fator espera o primeiro código. Comece de novo.",

    address_empty: "O endereço não pode estar vazio.",
    address_too_long: "É longo demais para um endereço Litecoin.",
    address_whitespace: "O endereço não pode conter espaços nem quebras de linha.",
    address_mixed_case: "O endereço mistura maiúsculas e minúsculas; verifique se foi copiado inteiro.",
    address_other_network: "É um endereço da rede {network}; este gateway está em outra.",
    address_bitcoin: "É um endereço Bitcoin; dê um endereço Litecoin.",
    address_mweb: "É um endereço MWEB, para o qual não se pode pagar; dê um comum como ltc1q…",
    address_checksum: "O endereço está digitado errado: a soma de verificação não confere.",
    address_witness_version: "O endereço tem uma versão de testemunha que os nós Litecoin não retransmitem.",
    address_unknown: "Não é um endereço Litecoin.",
    address_own: "É um endereço deste gateway; dê um da sua própria carteira.",
    name_empty: "O nome não pode estar vazio.",
    name_too_long: "O nome pode ter no máximo 64 caracteres.",
    name_unprintable: "O nome não pode conter caracteres de controle nem marcas que mudem a direção do texto.",
    amount_not_a_number: "O valor deve ser um número decimal como 0.05.",
    amount_negative: "O valor não pode ser negativo.",
    amount_too_large: "O valor não pode passar de 84000000.",
    amount_too_precise: "O valor pode ter no máximo 8 casas decimais.",
    amount_too_small: "O valor deve ser de pelo menos {least} LTC.",
    reference_bad: "O pedido pode ter no máximo {max} caracteres, nenhum deles invisível.",
    url_too_long: "A URL é longa demais.",
    url_not_a_url: "A URL deve ser completa, como https://shop.example/webhook.",
    url_scheme: "A URL deve começar com https:// ou http://.",
    url_credentials: "A URL não pode conter nome de usuário nem senha.",
    url_not_public: "A URL não pode levar a um endereço privado ou especial.",
    url_port: "A URL deve usar uma porta que o operador permita, como 443.",
    confirmations_range: "As confirmações devem ficar entre 1 e {max}.",
    days_range: "Os dias devem ficar entre 1 e {max}.",
    announcement_length: "O texto deve ter de 1 a {max} caracteres.",
    not_for_merchants: "Escolha algo que é dito a lojistas.",
    month_bad: "Informe um ano e um mês, como 2026-11.",
    bad_cursor: "Esse ponto da lista não existe.",
    bad_state: "Escolha previsto, entregue ou abandonado.",

    not_yours: "Este botão não é seu.",
    used: "Este botão já foi usado.",
    too_old: "Este botão é antigo demais; envie o comando de novo.",
    no_account: "Você ainda não tem conta de lojista; comece com {/set_address}.",
    no_account_of: "Este usuário não tem conta de lojista; {/grant_sub} abre uma.",
    not_admin: "Este comando é para administradores.",
    other_place: "Este comando funciona no próprio servidor do gateway; use-o lá.",
    too_fast: "Comandos demais; tente em {n} {n|segundo|segundos}.",
    shown_too_often: "Segredos são mostrados no máximo cinco vezes por hora; tente mais tarde.",
    unknown_kind: "Escolha um dos tipos oferecidos.",
    kind_and_how: "Informe os dois: o tipo e o modo.",
    no_webhook: "Este pagamento não tem webhook: não está completo, ou foi criado sem webhookUrl.",
    choose_part: "Escolha uma das duas partes do comando.",
    bot_is_no_merchant: "Um bot não é lojista.",
    bad_merchant_id: "Não é o id de um lojista, como mer_0123456789ab.",
    node_silent: "O nó não respondeu em {n} {n|segundo|segundos}; `litegate doctor` diz por quê.",
    no_notifications_channel: "Aqui não há canal de avisos.",
    no_test: "O teste não pode ser enviado daqui.",
    set_channel_first: "Defina primeiro discord.notifications_channel_id.",

    answer_not_public: "a URL leva a um endereço privado ou especial, ou a uma porta não permitida",
    answer_timeout: "o receptor demorou demais",
    answer_no_such_name: "o nome do receptor não tem endereço",
    answer_connect: "sem conexão com o receptor",
    answer_tls: "sem conexão segura: o certificado ou o TLS do receptor não é válido",
    answer_broken: "o receptor encerrou a conexão",
    advice_not_public: "O gateway só envia a endereços públicos. O operador pode permitir os privados com \
        webhooks.allow_private_networks.",
    advice_no_such_name: "Verifique como o host está escrito e seu registro DNS.",
    advice_connect: "Nada escuta lá, ou um firewall não deixa ninguém entrar: verifique a porta e o firewall.",
    advice_tls: "O certificado venceu, é de outro nome, não é assinado por ninguém conhecido, ou o servidor omite \
        os certificados intermediários; ou ele fala http onde a URL diz https.",
    advice_timeout: "Responda em até 15 segundos: verifique a assinatura, anote o evento, responda 200 e faça o \
        trabalho depois.",
    advice_broken: "A conexão terminou sem uma resposta que seja HTTP: a URL é http onde o servidor fala https, ou \
        o contrário?",
    advice_redirect: "Redirecionamentos não são seguidos: dê a URL para onde levam.",
    advice_body: "O receptor não aceita o corpo: é JSON com content-type application/json. Se verifica a \
        assinatura, deve fazê-lo sobre os bytes como chegaram.",
    advice_login: "O receptor pede um login ou um token CSRF, ou um firewall nos rejeita: deixe POST entrar sem \
        isso e verifique a assinatura em vez disso.",
    advice_route: "Nenhuma rota do receptor aceita POST nesse caminho.",
    advice_busy: "O receptor está ocupado; um evento real voltaria mais tarde.",
    advice_failed: "O receptor falhou: o registro dele diz por quê.",

    kind_first_payment: "Seu primeiro pagamento está completo",
    kind_paid: "Um pagamento está completo (cada um)",
    kind_part_paid: "Um pagamento venceu pago só em parte",
    kind_late_payment: "Chegou dinheiro depois do prazo de um pagamento",
    kind_webhook_failing: "Um webhook falhou cinco vezes",
    kind_webhook_failed: "Um webhook foi abandonado",
    kind_payout_sent: "Um repasse está a caminho",
    kind_payout_stuck: "Um repasse demora a ser confirmado",
    kind_address_change: "Seu endereço de pagamento muda, mudou ou a mudança foi cancelada",
    kind_key_rotated: "Sua chave de API ou seu segredo de webhooks foi trocado",
    kind_subscription: "Sua assinatura termina em 7, 3, 1 dias, e quando terminou",

    order: " (pedido {order})",
    first_payment: "Seu primeiro pagamento está completo: {amount} LTC{order}. Ele sai no próximo repasse; \
        {/payouts} mostra quando. {/payment id}",
    payment_complete: "O pagamento `{id}`{order} de {amount} LTC está completo. {/payment id}",
    payment_complete_late: "O pagamento `{id}`{order} chegou tarde e agora está completo. Decida se ainda entrega. \
        {/payment id}",
    payment_part_paid: "O pagamento `{id}`{order} venceu com {received} de {amount} LTC pagos. O que chegou é \
        repassado a você; pergunte ao cliente ou devolva. {/payment id}",
    payment_late: "Chegaram {amount} LTC para o pagamento `{id}`{order} depois do prazo. Se a soma for alcançada e \
        confirmada, o pagamento se completa como tardio. {/payment id}",
    payment_too_late: "Chegaram {amount} LTC para o pagamento `{id}`{order} depois do prazo. É tarde demais para \
        completá-lo; o dinheiro é repassado a você mesmo assim. {/payment id}",
    payment_lost_to_you: "O pagamento `{id}`{order} estava completo, mas a cadeia já não contém suas moedas: uma \
        reorganização profunda. Ele só volta a contar quando as moedas voltarem. {/payment id}",
    webhook_failing: "O webhook do pagamento `{id}`{order} falhou {n} {n|vez|vezes}: {outcome}. Ele é tentado por \
        três dias. Conserte o receptor e depois {/resend_webhook id}.",
    webhook_given_up: "O webhook do pagamento `{id}`{order} foi abandonado depois de {n} \
        {n|tentativa|tentativas}: {outcome}. Conserte o receptor e depois {/resend_webhook id}.",
    payout_sent: "Um repasse de {amount} LTC está a caminho: transação `{txid}`. {/payouts}",
    payout_stuck: "Seu repasse de {amount} LTC espera um bloco há mais de duas horas: transação `{txid}`. Ele é \
        enviado de novo até ser confirmado. {/payouts}",
    address_asked: "Seu endereço de pagamento muda {when} para `{address}`{before}. Se não foi você, cancele agora: \
        com o botão abaixo ou {/cancel_address_change}; depois proteja sua conta do Discord.",
    address_before: " (até agora `{address}`)",
    address_effective: "A partir de agora seus repasses vão para `{address}`. {/account}",
    address_cancelled: "A mudança do seu endereço de pagamento para `{address}` foi cancelada. {/account}",
    payouts_wait: "Seus repasses esperam: o sistema não viu a tempo o seu novo endereço de pagamento. Eles \
        continuam automaticamente quando o prazo termina. Se você não mudou o endereço, use \
        {/cancel_address_change} e proteja sua conta do Discord.",
    payouts_wait_for_address: "Seus repasses esperam: seu endereço de pagamento não é o que o sistema conhece. \
        Compare-o em {/account} e registre de novo o certo com {/set_address}.",
    key_replaced: "Sua chave de API foi trocada; a antiga não vale mais. Se não foi você, proteja sua conta do \
        Discord e use {/rotate_key} de novo.",
    key_replaced_gently: "Sua chave de API foi trocada; a antiga vale por mais 24 horas. Se não foi você, proteja \
        sua conta do Discord e use {/rotate_key} de novo.",
    secret_replaced: "Seu segredo de webhooks foi trocado; por 24 horas os dois assinam. Se não foi você, proteja \
        sua conta do Discord e use {/rotate_webhook_secret} duas vezes.",
    subscription_ends: "Sua assinatura termina {when} ({date}). Peça antes a um administrador para prolongá-la, para \
        que sua loja continue. {/subscription}",
    subscription_ended: "Sua assinatura terminou: novos pagamentos são recusados. Os abertos seguem, e tudo é pago. \
        Peça a um administrador para prolongá-la; {/subscription} mostra quando você a tem.",
    node_away: "Há mais de {minutes} {minutes|minuto|minutos} não estamos na ponta do nó: {why}. Os pagamentos são \
        aceitos, mas não vistos. {/node}",
    node_behind: "o nó está no bloco {height}, {behind} atrás dos seus cabeçalhos",
    node_did_not_answer: "o nó não respondeu em {n} {n|segundo|segundos}; `litegate doctor` diz por quê",
    node_back: "Estamos de novo na ponta do nó. {/node}",
    sweep_stuck: "O repasse {sweep} espera um bloco há mais de duas horas: transação `{txid}`. {/node} mostra o nó; \
        `litegate sweep` o envia de novo.",
    sweeper_stuck: "Há meia hora nada é repassado: {trouble}. Os pagamentos são aceitos e esperam. `litegate doctor` \
        procura o motivo.",
    sweep_damaged: "Os bytes guardados do repasse `{txid}` estão danificados: pelo disco ou por uma mão no banco de \
        dados. Assim ele não é enviado; com a chave nesta máquina ele é assinado de novo. `litegate doctor` mostra o \
        que falta.",
    payouts_of_merchant_wait: "Os repasses de `{merchant}` esperam: {why}. `litegate doctor` diz o que \
        fazer.",
    payment_lost: "O pagamento `{id}` foi completado, mas a melhor cadeia já não contém suas moedas: uma \
        reorganização profunda. Ao lojista foi dito que está pago. `litegate payment show {id}` e `litegate audit` \
        mostram o que falta.",
    suspect: "O guardião da cadeia está ativo: {reason}. Pagamentos vindos de MWEB e repasses esperam. `litegate chain-guard` \
        mostra isso e pode encerrá-lo.",
    low_disk: "O disco do banco de dados tem {n} MB livres. Quando encher, novos pagamentos serão recusados. Abra \
        espaço; `litegate doctor` verifica de novo.",
    zmq_silent: "O ZMQ do nó não diz nada. Os pagamentos são notados perguntando ao nó repetidamente, um pouco mais \
        tarde que de costume. {/node} mostra; `litegate doctor` procura o motivo.",
    zmq_back: "Os pagamentos são notados de novo como configurado. {/node}",
    fee_too_high: "Há moedas que não são repassadas, porque a taxa passaria de `sweeper.max_fee_percent` do valor \
        delas. Elas saem quando as taxas caírem ou mais se juntar. {/sweep_now} mostra o que está pronto.",
    too_much_hot: "{waiting} LTC aguardam repasse sob a chave desta máquina, mais do que os {limit} LTC de \
        `sweeper.max_hot_balance`. {/sweep_now} repassa o que está pronto; `litegate sweep --dry-run` diz o que o resto \
        aguarda.",
    audit_found: "A auditoria encontrou {n} {n|diferença|diferenças}: há litoshis que não estão onde deveriam. \
        `litegate audit` nomeia cada uma.",
    audit_clean: "A auditoria está limpa de novo: cada litoshi tem sua conta prestada. `litegate audit`",
};
