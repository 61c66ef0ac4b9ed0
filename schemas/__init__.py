"""What crosses the wire: message types, the codec, the topics table and golden samples."""
