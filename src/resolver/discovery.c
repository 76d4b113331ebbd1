/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/discovery.h"

enum { HINTS_MAX_BYTES = LD_HOUSE_ADDRESSES_MAX * 16 };

#define DDR_NAME "\4_dns\10resolver\4arpa"
#define RESOLVER_NAME "\10resolver\4arpa"

/* All addresses of one kind that the house knows of the name. */
static struct ld_span
hints(const struct ld_house_name *known, uint16_t type, uint8_t memory[HINTS_MAX_BYTES])
{
	struct ld_writer w = ld_writer(memory, HINTS_MAX_BYTES);

	if (known == NULL)
		return (struct ld_span){NULL, 0};
	for (const struct ld_house_record *record = known->records; record != NULL;
	     record = record->next) {
		if (record->type == type && record->rdata.len <= w.size - w.len)
			ld_writer_bytes(&w, record->rdata);
	}
	return ld_span(w.data, w.len);
}

static void
add_service(struct ld_discovery *discovery, struct ld_service *service)
{
	unsigned i = discovery->service_count++;
	struct ld_writer w =
		ld_writer(discovery->services[i].rdata, LD_DISCOVERY_SERVICE_MAX_BYTES);

	service->priority = (uint16_t)(i + 1);
	ld_build_service(&w, service);
	LD_ASSERT(!w.failed);
	discovery->services[i].len = (uint16_t)w.len;
}

static void
make_services(struct ld_discovery *discovery, const struct ld_discovery_config *config,
	      const struct ld_house *house)
{
	const struct ld_house_name *known = ld_house_find(house, &discovery->name);
	uint8_t memory4[HINTS_MAX_BYTES], memory6[HINTS_MAX_BYTES];
	struct ld_service service = {
		.target = &discovery->name,
		.hints4 = hints(known, LD_TYPE_A, memory4),
		.hints6 = hints(known, LD_TYPE_AAAA, memory6),
	};

	if (config->tls_port != 0) {
		service.alpn = "dot";
		service.port = config->tls_port;
		add_service(discovery, &service);
	}
	if (config->https_port != 0) {
		service.alpn = "h2";
		service.port = config->https_port;
		service.dohpath = "/dns-query{?dns}";
		add_service(discovery, &service);
	}
}

static void
add_string(struct ld_writer *w, const char *key, const char *value)
{
	struct ld_span a = ld_span_str(key), b = ld_span_str(value);

	ld_writer_u8(w, (uint8_t)(a.len + b.len));
	ld_writer_bytes(w, a);
	ld_writer_bytes(w, b);
}

int
ld_discovery_init(struct ld_discovery *discovery, const struct ld_discovery_config *config,
		  const struct ld_house *house, struct ld_report *report)
{
	bool has_name = config->name != NULL && config->name[0] != '\0';
	bool has_url = config->info_url != NULL && config->info_url[0] != '\0';
	struct ld_writer info = ld_writer(discovery->info, sizeof discovery->info);
	char host[LD_HOST_MAX + 1];
	size_t len;

	if (has_url && ld_span_str(config->info_url).len > LD_INFO_URL_MAX_BYTES)
		return ld_fail(report, LINDUNG_ECONFIG, "identity.info-url: longer than %d bytes",
			       LD_INFO_URL_MAX_BYTES);
	if (has_name && (ld_host_from_text(host, &len, ld_span_str(config->name)) != LINDUNG_OK ||
			 ld_name_from_text(&discovery->name, ld_span(host, len)) != LINDUNG_OK))
		return ld_fail(report, LINDUNG_ECONFIG,
			       "identity.name: \"%s\" is not the name of a host, as "
			       "dns.example.net",
			       config->name);
	if (config->recursive)
		add_string(&info, "qnamemin", "");
	add_string(&info, config->recursive ? LD_DISCOVERY_EXTERR : LD_DISCOVERY_EXTERR_FORWARD,
		   "");
	if (has_url)
		add_string(&info, "infourl=", config->info_url);
	LD_ASSERT(!info.failed);
	discovery->info_len = (uint16_t)info.len;
	if (has_name)
		make_services(discovery, config, house);
	return LINDUNG_OK;
}

static bool
is_name(const struct ld_name *lower, struct ld_span wire)
{
	return ld_span_equal(ld_span(lower->wire, lower->len), wire);
}

bool
ld_discovery_is_asked(const struct ld_discovery *discovery, const struct ld_name *lower,
		      uint16_t type)
{
	/* The zero octet of the literal is the root. */
	if (type == LD_TYPE_SVCB)
		return discovery->service_count != 0 &&
		       is_name(lower, ld_span((const uint8_t *)DDR_NAME, sizeof DDR_NAME));
	if (type != LD_TYPE_RESINFO)
		return false;
	return is_name(lower, ld_span((const uint8_t *)RESOLVER_NAME, sizeof RESOLVER_NAME)) ||
	       (discovery->name.len != 0 &&
		is_name(lower, ld_span(discovery->name.wire, discovery->name.len)));
}

void
ld_discovery_add(const struct ld_discovery *discovery, uint16_t type, struct ld_writer *w)
{
	if (type == LD_TYPE_RESINFO) {
		ld_build_record(w, LD_COUNT_ANSWER, LD_QUESTION_AT, type, LD_DISCOVERY_TTL_S,
				ld_span(discovery->info, discovery->info_len));
		return;
	}
	for (unsigned i = 0; i < discovery->service_count; i++)
		ld_build_record(w, LD_COUNT_ANSWER, LD_QUESTION_AT, type, LD_DISCOVERY_TTL_S,
				ld_span(discovery->services[i].rdata, discovery->services[i].len));
}
