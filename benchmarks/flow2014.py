"""The 2014 flow, as its 100 lines were written: charge, insert, mail, inside the request.

Kept to be measured against, with its faults. Four single-threaded processes share one
socket, as gunicorn did it: `python -m benchmarks.flow2014 --home DIR --smtp PORT`.
"""

import argparse
import json
import os
import signal
import smtplib
import socket
import time
import uuid
from email.message import EmailMessage
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import WSGIApplication

from flask import Flask, abort, render_template, render_template_string, request
from sqlalchemy import Engine, ForeignKey, create_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    mapped_column,
    relationship,
    scoped_session,
    sessionmaker,
)

PAGE = """<h1>{{ product.name }}</h1><p>{{ product.description }}</p>
<form method="post" action="/buy/{{ product.id }}"><input name="email">
<input name="token" type="hidden"><button>Buy for {{ product.price }}</button></form>"""
THANKS = """<h1>Thank you</h1><a href="/download/{{ sale.uuid }}">Download</a>"""
MAIL = "Thank you for buying {}. Your link: http://127.0.0.1/download/{}"


class Base(DeclarativeBase):
    """All tables."""


class Product(Base):
    """A thing for sale; its price is a float, as it was."""

    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str]
    file_name: Mapped[str]
    price: Mapped[float]


class Purchase(Base):
    """A sale: who, what, and how many downloads are left."""

    __tablename__ = "purchase"
    uuid: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    product: Mapped[Product] = relationship()
    downloads_left: Mapped[int] = mapped_column(default=5)


class CardError(Exception):
    """The provider declined the card."""


def charge(home: Path, delay: float, token: str, amount: int) -> None:
    """Stand in for the provider: takes `delay` seconds, and keeps books of its own."""
    time.sleep(delay)
    if token == "tok_declined":  # what a card form hands over
        raise CardError
    with (home / "charges.txt").open("a") as books:
        books.write(f"{amount}\n")


def found(home: Path, price: float) -> Engine:
    """Make a shop with one product."""
    (home / "book.pdf").write_bytes(b"a book")
    engine = create_engine(f"sqlite:///{home}/sales.db")
    Base.metadata.create_all(engine)
    book = Product(name="Book", description="Words.", file_name="book.pdf", price=price)
    with Session(engine) as session, session.begin():
        session.add(book)
    return engine


def create_app(home: Path, smtp_port: int, delay: float) -> Flask:
    """Give the application; everything that happens to a sale happens in `buy`."""
    app = Flask("flow2014")
    app.logger.disabled = True  # its errors are what is measured
    engine = create_engine(f"sqlite:///{home}/sales.db")
    db: scoped_session[Session] = scoped_session(sessionmaker(engine))
    app.teardown_appcontext(lambda _error: db.remove())

    @app.get("/p/<int:product_id>")
    def index(product_id: int) -> str:
        product = db.get(Product, product_id) or abort(404)
        return render_template_string(PAGE, product=product)

    @app.post("/buy/<int:product_id>")
    def buy(product_id: int) -> str:
        product = db.get(Product, product_id) or abort(404)
        try:
            charge(home, delay, request.form["token"], int(product.price * 100))
        except CardError:
            return render_template("charge_error.html")  # there is no such file
        sale = Purchase(
            uuid=str(uuid.uuid4()), email=request.form["email"], product=product
        )
        db.add(sale)
        db.commit()
        mail = EmailMessage()
        mail["From"], mail["To"] = "seller@example.com", sale.email
        mail["Subject"] = f"Your copy of {product.name}"
        mail.set_content(MAIL.format(product.name, sale.uuid))
        with smtplib.SMTP("127.0.0.1", smtp_port) as server:
            server.send_message(mail)
        return render_template_string(THANKS, sale=sale)

    @app.get("/download/<sale_uuid>")
    def download(sale_uuid: str) -> bytes:
        sale = db.get(Purchase, sale_uuid) or abort(404)
        sale.downloads_left -= 1
        if sale.downloads_left <= 0:
            abort(404)
        db.commit()
        return (home / sale.product.file_name).read_bytes()

    return app


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _work(app: WSGIApplication, listener: socket.socket) -> None:
    """Serve one request after the other, as a synchronous worker does."""
    server = WSGIServer(("127.0.0.1", 0), _Quiet, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.server_address = listener.getsockname()
    server.server_name, server.server_port = listener.getsockname()[:2]
    server.setup_environ()
    server.set_app(app)
    server.serve_forever()


def main() -> None:
    """Fork the workers, say the address, and end them on SIGTERM."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--home", type=Path, required=True)
    ask.add_argument("--smtp", type=int, required=True)
    ask.add_argument("--delay", type=float, default=0.0)
    said = ask.parse_args()
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    workers = []
    for _ in range(4):
        if not (worker := os.fork()):
            _work(create_app(said.home, said.smtp, said.delay), listener)
        workers.append(worker)
    signal.signal(signal.SIGTERM, lambda *_: None)
    print(
        json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"}), flush=True
    )
    signal.pause()
    for worker in workers:
        os.kill(worker, signal.SIGTERM)
        os.waitpid(worker, 0)


if __name__ == "__main__":
    main()
