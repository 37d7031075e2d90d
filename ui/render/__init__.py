"""Pure functions from records to HTML and charts: nothing here knows Gradio or the models."""
