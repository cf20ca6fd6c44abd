#include "config.h"

#include "client/nm/report.h"

#include <netinet/in.h>
#include <string.h>

static const struct in6_addr all_nodes = {{{0xff, 2, [15] = 1}}};

static const struct prefix *address_of(const struct net_conf *conf,
				       enum addr_family family)
{
	for (size_t i = 0; i < conf->n_addrs; i++)
		if (conf->addrs[i].addr.family == family)
			return &conf->addrs[i];
	return NULL;
}

/* NetworkManager's form: a number in network order, or octets. */
static GVariant *address_variant(const struct addr *a)
{
	guint32 v4;

	if (a->family == ADDR_V6)
		return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, a->b, 16,
						 1);
	memcpy(&v4, a->b, sizeof(v4));
	return g_variant_new_uint32(v4);
}

static void entry_add(GVariantBuilder *dict, const char *key, GVariant *value)
{
	g_variant_builder_add(dict, "{sv}", key, value);
}

static GVariant *dns_variant(const struct net_conf *conf,
			     enum addr_family family)
{
	GVariantBuilder list;

	g_variant_builder_init(&list, family == ADDR_V4
					      ? G_VARIANT_TYPE("au")
					      : G_VARIANT_TYPE("aay"));
	for (size_t i = 0; i < conf->n_dns; i++)
		if (conf->dns[i].family == family)
			g_variant_builder_add_value(
				&list, address_variant(&conf->dns[i]));
	return g_variant_builder_end(&list);
}

/* "~." is every name: without a default route NetworkManager would send the
 * other names past the tunnel. */
static GVariant *domains_variant(const struct net_conf *conf)
{
	GVariantBuilder list;

	g_variant_builder_init(&list, G_VARIANT_TYPE_STRING_ARRAY);
	for (size_t i = 0; i < conf->n_domains; i++)
		g_variant_builder_add(&list, "s", conf->domains[i]);
	if (conf->dns_all)
		g_variant_builder_add(&list, "s", "~.");
	return g_variant_builder_end(&list);
}

static GVariant *general_variant(const struct channel_config *config)
{
	const struct net_conf *conf = &config->conf;
	GVariantBuilder dict;

	g_variant_builder_init(&dict, G_VARIANT_TYPE_VARDICT);
	entry_add(&dict, NM_VPN_PLUGIN_CONFIG_TUNDEV,
		  g_variant_new_string(config->interface));
	/* It insists on a gateway, and makes a host route to it through the
	 * link of the moment, which would hold the tunnel there. Our packets
	 * find their way by their mark: it gets an address (all nodes) that
	 * the main table has no route for. */
	entry_add(&dict, NM_VPN_PLUGIN_CONFIG_EXT_GATEWAY,
		  g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, &all_nodes,
					    sizeof(all_nodes), 1));
	entry_add(&dict, NM_VPN_PLUGIN_CONFIG_MTU,
		  g_variant_new_uint32(conf->mtu));
	/* The core finds its way itself when the network changes. */
	entry_add(&dict, NM_VPN_PLUGIN_CAN_PERSIST,
		  g_variant_new_boolean(TRUE));
	entry_add(&dict, NM_VPN_PLUGIN_CONFIG_HAS_IP4,
		  g_variant_new_boolean(address_of(conf, ADDR_V4) != NULL));
	entry_add(&dict, NM_VPN_PLUGIN_CONFIG_HAS_IP6,
		  g_variant_new_boolean(address_of(conf, ADDR_V6) != NULL));
	return g_variant_builder_end(&dict);
}

static GVariant *ip4_variant(const struct net_conf *conf)
{
	const struct prefix *p = address_of(conf, ADDR_V4);
	GVariantBuilder dict;

	g_variant_builder_init(&dict, G_VARIANT_TYPE_VARDICT);
	entry_add(&dict, NM_VPN_PLUGIN_IP4_CONFIG_ADDRESS,
		  address_variant(&p->addr));
	entry_add(&dict, NM_VPN_PLUGIN_IP4_CONFIG_PREFIX,
		  g_variant_new_uint32(p->bits));
	entry_add(&dict, NM_VPN_PLUGIN_IP4_CONFIG_NEVER_DEFAULT,
		  g_variant_new_boolean(TRUE));
	entry_add(&dict, NM_VPN_PLUGIN_IP4_CONFIG_DNS,
		  dns_variant(conf, ADDR_V4));
	entry_add(&dict, NM_VPN_PLUGIN_IP4_CONFIG_DOMAINS,
		  domains_variant(conf));
	return g_variant_builder_end(&dict);
}

static GVariant *ip6_variant(const struct net_conf *conf)
{
	const struct prefix *p = address_of(conf, ADDR_V6);
	GVariantBuilder dict;

	g_variant_builder_init(&dict, G_VARIANT_TYPE_VARDICT);
	entry_add(&dict, NM_VPN_PLUGIN_IP6_CONFIG_ADDRESS,
		  address_variant(&p->addr));
	entry_add(&dict, NM_VPN_PLUGIN_IP6_CONFIG_PREFIX,
		  g_variant_new_uint32(p->bits));
	entry_add(&dict, NM_VPN_PLUGIN_IP6_CONFIG_NEVER_DEFAULT,
		  g_variant_new_boolean(TRUE));
	entry_add(&dict, NM_VPN_PLUGIN_IP6_CONFIG_DNS,
		  dns_variant(conf, ADDR_V6));
	entry_add(&dict, NM_VPN_PLUGIN_IP6_CONFIG_DOMAINS,
		  domains_variant(conf));
	return g_variant_builder_end(&dict);
}

void report_config(NMVpnServicePlugin *plugin,
		   const struct channel_config *config)
{
	const struct net_conf *conf = &config->conf;

	nm_vpn_service_plugin_set_config(plugin, general_variant(config));
	if (address_of(conf, ADDR_V4))
		nm_vpn_service_plugin_set_ip4_config(plugin, ip4_variant(conf));
	if (address_of(conf, ADDR_V6))
		nm_vpn_service_plugin_set_ip6_config(plugin, ip6_variant(conf));
}
