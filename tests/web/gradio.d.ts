/** What Gradio gives to a script of a `gr.HTML` part: each is the body of a function with these arguments. */
declare const element: HTMLElement;
declare function trigger(name: string, data: Record<string, unknown>): void;
declare function watch(property: string, callback: () => void): void;
interface Window {
  gradio_config?: { root?: string };
  katex?: { render(tex: string, place: HTMLElement, options: Record<string, unknown>): void };
}
