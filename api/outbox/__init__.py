"""What goes out to vendors: rows written with the reply that they carry, sent by a worker, never sent twice blindly."""
