"""The demo hub's settings: this file is read by JupyterHub 6 (and 5.3 or later) and takes ports and secrets from DEMO_HUB_…"""

import os
import sys
from datetime import timedelta
from pathlib import Path

import jupyterhub

from demo.sessions import SessionSpawner, apply_wishes

c = get_config()  # type: ignore[name-defined]  # noqa: F821 JupyterHub puts it here

data = Path(os.environ["DEMO_HUB_DATA"])
url = os.environ["DEMO_HUB_URL"]
issuer = os.environ.get("DEMO_HUB_ISSUER")

c.JupyterHub.bind_url = url
c.JupyterHub.hub_bind_url = os.environ["DEMO_HUB_API"]
c.JupyterHub.db_url = f"sqlite:///{data / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(data / "cookie_secret")
c.JupyterHub.cookie_max_age_days = 1
c.JupyterHub.cleanup_servers = False  # a hub that was killed finds its sessions again
c.JupyterHub.redirect_to_server = False
c.JupyterHub.allow_named_servers = True
c.JupyterHub.named_server_limit_per_user = 6
c.JupyterHub.active_server_limit = 20
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}
c.JupyterHub.template_vars = {"announcement": "The demo's hub: sessions here are processes without isolation."}

c.ConfigurableHTTPProxy.command = [
    sys.executable,
    *("-c", "from configurable_http_proxy.cli import main; main()"),
    *("--proxy-timeout", "600000"),  # otherwise 503 for whatever takes longer than 20 s
    *("--pid-file", os.environ["DEMO_HUB_MARK"]),  # also what tells our proxy from others
]
c.ConfigurableHTTPProxy.api_url = os.environ["DEMO_HUB_PROXY"]
c.ConfigurableHTTPProxy.pid_file = str(data / "proxy.pid")

SessionSpawner.data = data
SessionSpawner.life = timedelta(seconds=float(os.environ["DEMO_HUB_LIFE"]))
c.JupyterHub.spawner_class = SessionSpawner
c.SimpleLocalProcessSpawner.home_dir_template = str(data / "homes" / "{username}")
c.Spawner.apply_user_options = apply_wishes
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.args = [
    "--ServerApp.shutdown_no_activity_timeout=7200",
    "--MappingKernelManager.cull_idle_timeout=3600",
    "--MappingKernelManager.cull_interval=300",
    *(["--allow-root"] if os.geteuid() == 0 else []),
]
c.Spawner.ip = "127.0.0.1"
c.Spawner.default_url = "/lab"
c.Spawner.start_timeout = 60
c.Spawner.http_timeout = 60
c.Spawner.poll_interval = 5
c.LocalProcessSpawner.interrupt_timeout = 5
c.LocalProcessSpawner.term_timeout = 5

if issuer:
    c.JupyterHub.authenticator_class = "generic-oauth"
    c.GenericOAuthenticator.client_id = os.environ["DEMO_HUB_CLIENT_ID"]
    c.GenericOAuthenticator.client_secret = os.environ["DEMO_HUB_CLIENT_SECRET"]
    c.GenericOAuthenticator.authorize_url = f"{issuer}/oauth/authorize"
    c.GenericOAuthenticator.token_url = f"{issuer}/oauth/token"
    c.GenericOAuthenticator.userdata_url = f"{issuer}/oauth/userinfo"
    c.GenericOAuthenticator.oauth_callback_url = f"{url}/hub/oauth_callback"
    c.GenericOAuthenticator.scope = ["openid", "profile", "groups"]
    c.GenericOAuthenticator.username_claim = "sub"
    c.GenericOAuthenticator.login_service = "Demo identity"
    c.GenericOAuthenticator.basic_auth = True
    c.GenericOAuthenticator.auto_login = True
else:
    c.JupyterHub.authenticator_class = "dummy"  # any name, any password: tests alone
c.Authenticator.allow_all = True

start_scopes = ["start:servers", "delete:servers"] if jupyterhub.version_info[0] >= 6 else ["servers"]
c.JupyterHub.services = [{"name": "pangate", "api_token": os.environ["DEMO_HUB_TOKEN"]}]
c.JupyterHub.load_roles = [
    {
        "name": "pangate-launcher",
        "description": "start, watch and stop sessions for people; never open them, never make tokens",
        # admin:users because people come who were never at this hub
        "scopes": ["list:users", "read:users", "admin:users", "read:servers", "read:hub", *start_scopes],
        "services": ["pangate"],
    }
]
