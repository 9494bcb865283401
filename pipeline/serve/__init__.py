"""A finished run to look at in a browser: `python run.py task=serve run=outputs/…`.

`subject` is the run and its two models, `routes` what is answered to which request, `server` the
HTTP around it. One module for each page: `draw_page`, `mistakes_page`, `variables_page`,
`graph_page`; `histogram` and `weights` draw variables, the room `drawing` graphs. `evaluating` puts
the test split through the model while pages are answered.
"""

from pipeline.serve.errors import Refusal as Refusal
from pipeline.serve.routes import Request as Request
from pipeline.serve.routes import Response as Response
from pipeline.serve.routes import respond as respond
from pipeline.serve.server import Server as Server
from pipeline.serve.server import serve as serve
from pipeline.serve.subject import Subject as Subject
from pipeline.serve.subject import open_run as open_run
