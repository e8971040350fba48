"""
What transformers asks Florence-2 for each task, and how it reads places in answers: florence.reference.json beside
models/tasks/image-to-text/florence/. Made with transformers 4.57.6.

    python models/parity/reference/florence_pieces.py
"""

import json
from pathlib import Path

import transformers

import florence

TARGET = Path(__file__).parents[2] / "tasks/image-to-text/florence/florence.reference.json"
KINDS = [*florence.PARSED, "bboxes", "polygons", "description_with_bboxes_or_polygons"]
PROMPTS = [
    "<OCR>", "<OCR_WITH_REGION>", "<CAPTION>", "<DETAILED_CAPTION>", "<MORE_DETAILED_CAPTION>", "<OD>",
    "<DENSE_REGION_CAPTION>", "<REGION_PROPOSAL>", "<CAPTION_TO_PHRASE_GROUNDING>A green car parked.",
    "<REFERRING_EXPRESSION_SEGMENTATION> a green car", "<REGION_TO_SEGMENTATION><loc_7><loc_9><loc_70><loc_90>",
    "<OPEN_VOCABULARY_DETECTION>a car", "<REGION_TO_CATEGORY><loc_7><loc_9><loc_70><loc_90>",
    "<REGION_TO_DESCRIPTION><loc_7><loc_9><loc_70><loc_90>", "<REGION_TO_OCR><loc_7><loc_9><loc_70><loc_90>", "Who is it?",
]
place = lambda *bins: "".join(f"<loc_{bin}>" for bin in bins)
ANSWERS = [
    ("<OD>", "car" + place(52, 334, 932, 774) + "wheel" + place(708, 575, 863, 772, 137, 561, 305, 762)),
    ("<OD>", "dog" + place(0, 0, 999, 999, 5)),
    ("<OD>", ""),
    ("<DENSE_REGION_CAPTION>", "turquoise car, parked " + place(53, 335, 933, 775) + " door" + place(710, 276, 908, 537)),
    ("<REGION_PROPOSAL>", place(52, 334, 932, 774) + place(708, 575, 863, 772) + place(1, 2)),
    ("<OCR_WITH_REGION>", "STOP" + place(10, 20, 30, 20, 30, 40, 10, 40) + " 50 km/h" + place(100, 200, 300, 200, 300, 400, 100, 401)),
    ("<OCR_WITH_REGION>", "no place" + place(1, 2, 3, 4)),
    ("<CAPTION_TO_PHRASE_GROUNDING>", "A green car" + place(54, 335, 932, 775, 1, 2, 3, 4) + "a wall" + place(0, 100, 999, 900)),
    ("<REFERRING_EXPRESSION_SEGMENTATION>", place(280, 200, 300, 210, 310, 400, 5)),
    ("<REFERRING_EXPRESSION_SEGMENTATION>", place(1, 2, 3, 4, 5, 6) + "<sep>" + place(11, 12, 13, 14, 15, 16)),
    ("<REGION_TO_SEGMENTATION>", "<poly>" + place(1, 2, 3, 4, 5, 6) + "</poly><poly>" + place(7, 8, 9, 10, 11, 12) + "<sep>" + place(5, 6, 7, 8) + "</poly>"),
    ("<OPEN_VOCABULARY_DETECTION>", "a car" + place(52, 334, 932, 774)),
    ("<OPEN_VOCABULARY_DETECTION>", "a car<poly>" + place(1, 2, 3, 4, 5, 6) + "<sep>" + place(7, 8, 9, 10) + "</poly>"),
]


def main() -> None:
    images = transformers.CLIPImageProcessor()
    images.image_seq_length = 577
    processor = transformers.Florence2Processor(images, florence.tokenizer(1000), post_processor_config={kind: {} for kind in KINDS})
    sentences = [[prompt, processor._construct_prompts(prompt)[0]] for prompt in PROMPTS]
    answers = []
    for task, text in ANSWERS:
        parsed = processor.post_process_generation(text=f"</s><s>{text}</s>", task=task, image_size=(1280, 717))[task]
        answers.append({"task": task, "text": text, "regions": florence.regions(parsed)})
    TARGET.write_text(json.dumps({"sentences": sentences, "size": {"width": 1280, "height": 717}, "answers": answers}) + "\n")


if __name__ == "__main__":
    main()
